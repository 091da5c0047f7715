//! The parser, by recursive descent.

use super::{Comparison, Condition, Literal, Path};

/// Conditions nest no deeper.
const DEEPEST: usize = 32;

/// Parses a whole filter; the error is a reason for people.
pub(super) fn parse(text: &str) -> Result<Condition, String> {
    let mut parser = Parser {
        rest: text,
        depth: 0,
    };
    let condition = parser.disjunction()?;
    parser.skip_space();
    if parser.rest.is_empty() {
        Ok(condition)
    } else {
        Err(format!("syntax error at '{}'", parser.rest))
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn disjunction(&mut self) -> Result<Condition, String> {
        let mut left = self.conjunction()?;
        while self.keyword("or") {
            let right = self.conjunction()?;
            left = Condition::Or(Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Condition, String> {
        let mut left = self.negation()?;
        while self.keyword("and") {
            let right = self.negation()?;
            left = Condition::And(Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn negation(&mut self) -> Result<Condition, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("nested too deeply".to_owned());
        }
        let condition = if self.keyword("not") {
            Condition::Not(Box::new(self.negation()?))
        } else if self.symbol('(') {
            let inner = self.disjunction()?;
            self.expect(')')?;
            inner
        } else {
            self.term()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn term(&mut self) -> Result<Condition, String> {
        let name = self.word()?;
        if self.symbol('(') {
            return self.function(name);
        }
        let mut path: Vec<String> = name.split('/').map(str::to_owned).collect();
        if path.last().is_some_and(|last| last == "any") {
            return Err("'any' without a condition".to_owned());
        }
        path.retain(|part| !part.is_empty());
        let path = Path(path);
        let operator = self.word()?;
        let comparison = match operator {
            "eq" => Comparison::Equal,
            "ne" => Comparison::NotEqual,
            "lt" => Comparison::Less,
            "le" => Comparison::LessOrEqual,
            "gt" => Comparison::Greater,
            "ge" => Comparison::GreaterOrEqual,
            "in" => return self.list().map(|list| Condition::In(path, list)),
            other => return Err(format!("unknown operator '{other}'")),
        };
        let literal = self.literal()?;
        Ok(Condition::Compare(path, comparison, literal))
    }

    /// After the name and its opening parenthesis.
    fn function(&mut self, name: &str) -> Result<Condition, String> {
        if let Some(list) = name.strip_suffix("/any") {
            let variable = self.word()?.to_owned();
            self.expect(':')?;
            let inner = self.disjunction()?;
            self.expect(')')?;
            let path = Path(list.split('/').map(str::to_owned).collect());
            return Ok(Condition::Any(path, variable, Box::new(inner)));
        }
        let path = Path(self.word()?.split('/').map(str::to_owned).collect());
        self.expect(',')?;
        let Literal::Text(value) = self.literal()? else {
            return Err(format!("'{name}' takes a text"));
        };
        self.expect(')')?;
        match name.to_ascii_lowercase().as_str() {
            "startswith" => Ok(Condition::StartsWith(path, value)),
            "endswith" => Ok(Condition::EndsWith(path, value)),
            _ => Err(format!("unknown function '{name}'")),
        }
    }

    fn list(&mut self) -> Result<Vec<Literal>, String> {
        self.expect('(')?;
        let mut literals = vec![self.literal()?];
        while self.symbol(',') {
            literals.push(self.literal()?);
        }
        self.expect(')')?;
        Ok(literals)
    }

    fn literal(&mut self) -> Result<Literal, String> {
        self.skip_space();
        if let Some(rest) = self.rest.strip_prefix('\'') {
            return self.quoted(rest);
        }
        Ok(match self.word()? {
            "null" => Literal::Null,
            "true" => Literal::Boolean(true),
            "false" => Literal::Boolean(false),
            // Identifiers and times come bare.
            word => Literal::Text(word.to_owned()),
        })
    }

    fn quoted(&mut self, text: &'a str) -> Result<Literal, String> {
        let mut value = String::new();
        let mut rest = text;
        loop {
            let (part, after) = rest
                .split_once('\'')
                .ok_or_else(|| "unterminated string".to_owned())?;
            value.push_str(part);
            let Some(after) = after.strip_prefix('\'') else {
                self.rest = after;
                return Ok(Literal::Text(value));
            };
            rest = after;
            value.push('\'');
        }
    }

    fn word(&mut self) -> Result<&'a str, String> {
        self.skip_space();
        // A colon is part of a bare time and not of a variable's name.
        let is_time = self.rest.starts_with(|first: char| first.is_ascii_digit());
        let end = self
            .rest
            .find(|letter: char| {
                !(letter.is_alphanumeric()
                    || "_-/.@".contains(letter)
                    || (is_time && letter == ':'))
            })
            .unwrap_or(self.rest.len());
        if end == 0 {
            return Err(format!("a name is missing at '{}'", self.rest));
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(word)
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        self.skip_space();
        let Some(rest) = self.rest.strip_prefix(keyword) else {
            return false;
        };
        if rest.starts_with(|next: char| next.is_alphanumeric() || next == '_') {
            return false;
        }
        self.rest = rest;
        true
    }

    fn symbol(&mut self, symbol: char) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, symbol: char) -> Result<(), String> {
        if self.symbol(symbol) {
            Ok(())
        } else {
            Err(format!("'{symbol}' is missing at '{}'", self.rest))
        }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }
}
