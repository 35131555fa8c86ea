use memory_core::{Config, Target};

/// What is printed in place of a password.
const HIDDEN: &str = "…";

/// A shorter password is hidden only by its place: as a word it is in too many messages.
const SHORTEST: usize = 6;

/// Takes passwords out of errors, which may quote an argument or what a driver said: those of the
/// arguments and the environment literally, and by its place whatever looks like one. What a command
/// says when it succeeds holds none, and is printed as it is.
#[derive(Debug)]
pub(crate) struct Scrubber {
    passwords: Vec<String>,
}

impl Scrubber {
    /// Learns the passwords in some arguments, and in the variables that may hold one.
    pub(crate) fn new(args: impl Iterator<Item = String>) -> Scrubber {
        let mut passwords: Vec<String> = args
            .chain(std::env::var("MEMORY_URL").ok())
            .flat_map(|text| passwords_in(&text))
            .collect();
        passwords.extend(std::env::var("MEMORY_PASSWORD").ok().filter(|password| {
            // As with a URL's: such a word is in every message.
            !matches!(password.as_str(), "postgres" | "memory")
        }));
        passwords.retain(|password| password.chars().count() >= SHORTEST);
        // The longer first, so that of two where one begins with the other nothing is left.
        passwords.sort_unstable_by_key(|password| std::cmp::Reverse(password.len()));
        Scrubber { passwords }
    }

    /// The text without passwords.
    pub(crate) fn scrub(&self, text: &str) -> String {
        let mut text = hide_settings(&hide_in_urls(text));
        for password in &self.passwords {
            text = text.replace(password.as_str(), HIDDEN);
        }
        text
    }
}

/// The password of a URL, as it is typed and as it is meant. Not one that stands in the URL for
/// something else too, such as `postgres`: hiding that word everywhere would hide the message.
fn passwords_in(argument: &str) -> Vec<String> {
    let url = match argument.split_once('=') {
        // `--to=postgres://…`, but not the `=` of a URL's option.
        Some((option, url)) if option.starts_with('-') => url,
        _ => argument,
    };
    let Ok(Config {
        target: Target::Postgres(target),
        ..
    }) = Config::from_url(url)
    else {
        return Vec::new();
    };
    let Some(password) = &target.password else {
        return Vec::new();
    };
    let said_elsewhere = [
        target.host.as_str(),
        &target.user,
        &target.database,
        &target.schema,
        &target.application_name,
        "postgres",
        "memory",
    ];
    let meant = password.reveal().to_owned();
    let typed = typed_password(url).map(str::to_owned);
    [Some(meant), typed]
        .into_iter()
        .flatten()
        .filter(|password| !said_elsewhere.contains(&password.as_str()))
        .collect()
}

/// What stands in a URL between the user and the host.
fn typed_password(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let (user_info, _) = rest.rsplit_once('@')?;
    user_info.split_once(':').map(|(_, password)| password)
}

/// Hides what stands where a URL's password does, also where the scheme is missing. A URL ends with a
/// space or a quote; its last `@` ends the password, because one that was not percent-encoded may
/// hold `@` and `/` itself.
fn hide_in_urls(text: &str) -> String {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
    text.split_inclusive(ends)
        .map(|piece| {
            let begin = piece.find("://").map_or(0, |at| at + 3);
            let (before, url) = piece.split_at(begin);
            // A path may have any name.
            if begin == 0 && url.starts_with(['/', '.']) {
                return piece.to_owned();
            }
            match url.rsplit_once('@') {
                Some((user_info, host)) if user_info.contains(':') => {
                    let user = user_info.split(':').next().unwrap_or_default();
                    format!("{before}{user}:{HIDDEN}@{host}")
                }
                _ => piece.to_owned(),
            }
        })
        .collect()
}

/// Hides the value of `password=…` and `pwd=…`, as they stand in connection strings and in URLs.
fn hide_settings(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    while let Some(value) = ["password=", "passwd=", "pwd="]
        .iter()
        .filter_map(|name| Some(done + lower[done..].find(name)? + name.len()))
        .min()
    {
        let end = text[value..]
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ';' | '&'))
            .map_or(text.len(), |at| value + at);
        out.push_str(&text[done..value]);
        if end > value {
            out.push_str(HIDDEN);
        }
        done = end;
    }
    out.push_str(&text[done..]);
    out
}

#[cfg(test)]
mod tests {
    use super::Scrubber;

    fn scrubber(args: &[&str]) -> Scrubber {
        Scrubber::new(args.iter().map(|arg| (*arg).to_owned()))
    }

    #[test]
    fn a_password_is_hidden_in_any_url() {
        let text = scrubber(&[]).scrub("unexpected 'postgres://al:p@ss/w@h:1/d?x=1' found");
        assert_eq!(text, "unexpected 'postgres://al:…@h:1/d?x=1' found");
    }

    #[test]
    fn a_url_without_a_password_stays() {
        for text in [
            "postgres://al@h:1/d",
            "sqlite://a:b.db",
            "postgres://h:5432/d and a@b",
        ] {
            assert_eq!(scrubber(&[]).scrub(text), text);
        }
    }

    #[test]
    fn a_password_of_the_arguments_is_hidden_wherever_a_driver_says_it() {
        let scrubber = scrubber(&["memory", "--to=postgres://al:s%40cret@h/d"]);
        assert_eq!(scrubber.scrub("s@cret, s%40cret"), "…, …");
    }

    #[test]
    fn a_password_is_hidden_where_the_scheme_is_missing_or_pairs_stand() {
        for (text, scrubbed) in [
            (
                "unexpected 'al:p@ss/w@h/d' found",
                "unexpected 'al:…@h/d' found",
            ),
            (
                "host=h password=p@ss dbname=d",
                "host=h password=… dbname=d",
            ),
            ("Server=h;Password=p;Port=1", "Server=h;Password=…;Port=1"),
            (
                "postgres://h/d?password=p&x=1",
                "postgres://h/d?password=…&x=1",
            ),
            (
                "/home/al:x@y/m.db is not there",
                "/home/al:x@y/m.db is not there",
            ),
        ] {
            assert_eq!(scrubber(&[]).scrub(text), scrubbed);
        }
    }

    #[test]
    fn a_short_password_hides_no_message() {
        let scrubber = scrubber(&["postgres://al:or@h/d"]);
        assert_eq!(
            scrubber.scrub("error in postgres://al:or@h/d"),
            "error in postgres://al:…@h/d"
        );
    }

    #[test]
    fn a_password_that_is_also_the_user_hides_no_message() {
        let scrubber = scrubber(&["postgres://postgres:postgres@h/d"]);
        assert_eq!(scrubber.scrub("postgres refused"), "postgres refused");
    }
}
