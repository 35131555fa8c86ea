use memory_core::{Config, Target};

/// What is printed in place of a password.
const HIDDEN: &str = "…";

/// Takes passwords out of whatever is printed: those of the arguments and the environment
/// literally, and by its place whatever looks like one in a URL.
#[derive(Debug)]
pub(crate) struct Scrubber {
    passwords: Vec<String>,
}

impl Scrubber {
    /// Learns the passwords in some arguments, and in the variables that may hold a URL.
    pub(crate) fn new(args: impl Iterator<Item = String>) -> Scrubber {
        let variables = ["MEMORY_URL", "DATABASE_URL"];
        let variables = variables
            .into_iter()
            .filter_map(|name| std::env::var(name).ok());
        let mut passwords: Vec<String> = args
            .chain(variables)
            .flat_map(|text| passwords_in(&text))
            .collect();
        passwords.extend(std::env::var("MEMORY_PASSWORD").ok().filter(|password| {
            // As with a URL's: such a word is in every message.
            !password.is_empty() && !matches!(password.as_str(), "postgres" | "memory")
        }));
        // The longer first, so that of two where one begins with the other nothing is left.
        passwords.sort_unstable_by_key(|password| std::cmp::Reverse(password.len()));
        Scrubber { passwords }
    }

    /// The text without passwords.
    pub(crate) fn scrub(&self, text: &str) -> String {
        let mut text = scrub_urls(text);
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
        .filter(|password| !password.is_empty() && !said_elsewhere.contains(&password.as_str()))
        .collect()
}

/// What stands in a URL between the user and the host.
fn typed_password(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let (user_info, _) = rest.rsplit_once('@')?;
    user_info.split_once(':').map(|(_, password)| password)
}

/// Hides what stands where a URL's password does. A URL ends with a space or a quote; its last `@`
/// ends the password, because one that was not percent-encoded may hold `@` and `/` itself.
fn scrub_urls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>'))
            .unwrap_or(after.len());
        let (url, following) = after.split_at(end);
        match url.rsplit_once('@') {
            Some((user_info, host)) if user_info.contains(':') => {
                let user = user_info.split(':').next().unwrap_or_default();
                for part in [user, ":", HIDDEN, "@", host] {
                    out.push_str(part);
                }
            }
            _ => out.push_str(url),
        }
        rest = following;
    }
    out.push_str(rest);
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
    fn a_password_that_is_also_the_user_hides_no_message() {
        let scrubber = scrubber(&["postgres://postgres:postgres@h/d"]);
        assert_eq!(scrubber.scrub("postgres refused"), "postgres refused");
    }
}
