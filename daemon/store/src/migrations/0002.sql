-- What tells a copy from the database that the daemon last wrote. A backup is marked while it is made; what is at
-- work has no such mark. A file that was copied was made by the file system at another time, in nanoseconds since
-- 1970.
ALTER TABLE installation ADD COLUMN backup_of INTEGER;
ALTER TABLE installation ADD COLUMN file_made INTEGER;
