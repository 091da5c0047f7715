-- What readers compare is made of what they are answered.
ALTER TABLE environments DROP COLUMN secrets_tag;
