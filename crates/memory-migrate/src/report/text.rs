//! A transfer's report as text for a terminal.

use std::fmt::{self, Display};

use super::{Findings, Outcome, Report, TableReport, Verification};
use crate::export::EXPORT_KIND;
use crate::text::{Table, counted};
use crate::{OnConflict, STORE_KIND};

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = &self.source;
        write!(f, "from  {} ", source.location)?;
        let keeps_ids = [STORE_KIND, EXPORT_KIND].contains(&source.kind.as_str());
        if source.kind == STORE_KIND {
            writeln!(f, "(a store; ids are kept)")?;
        } else if keeps_ids {
            writeln!(f, "({}; ids are kept)", source.kind)?;
        } else {
            writeln!(f, "({}, ids under the name {:?})", source.kind, source.name)?;
        }
        writeln!(f, "to    {}", self.target)?;
        write!(f, "run   {}", self.run)?;
        match self.resumed {
            Some(rows) => writeln!(f, " (gone on with after {})", counted(rows, "row"))?,
            None => writeln!(f)?,
        }
        writeln!(f)?;
        self.print_tables(f)?;
        self.print_columns(f)?;
        self.print_rules(f)?;
        let conflicts = match self.on_conflict {
            OnConflict::Quarantine => "conflicts (what stands was left alone)",
            OnConflict::Keep => "conflicts (what stands was kept, as asked)",
        };
        print_findings(f, conflicts, &self.conflicts)?;
        if self.conflicts.count > 0 && !keeps_ids {
            writeln!(
                f,
                "  ids are made from the source's name, {:?}: if that was another file of the same \
                 system, give this one its own with --source-name",
                self.source.name
            )?;
        }
        print_findings(f, "quarantined", &self.quarantined)?;
        if let Some(path) = &self.quarantine_file {
            writeln!(f, "\nquarantine file: {}", path.display())?;
        }
        writeln!(f)?;
        self.print_verification(f)?;
        self.print_outcome(f)?;
        let problems = self.problems();
        if !problems.is_empty() {
            writeln!(f, "\nto be looked at:")?;
            for problem in problems {
                writeln!(f, "  {}", problem.remedy())?;
            }
        }
        Ok(())
    }
}

impl Report {
    fn print_tables(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headings = [
            "table",
            "rows",
            "carried",
            "changed",
            "merged",
            "already there",
            "conflict",
            "quarantined",
            "unmapped",
            "not selected",
            "beyond the rows",
        ];
        let mut table = Table::new(headings);
        for row in &self.tables {
            table.line(table_line(row));
        }
        // `rows` and `carried` are always shown, so that nothing carried reads as 0.
        table.without_empty_columns(3).print(f, "")
    }

    fn print_columns(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut columns = Vec::new();
        for table in &self.tables {
            for column in &table.unmapped_columns {
                let allowed = if column.allowed { ", allowed" } else { "" };
                let values = counted(column.non_null, "value");
                columns.push(format!(
                    "{}.{}: {values}{allowed}",
                    table.table, column.column
                ));
            }
        }
        if !columns.is_empty() {
            writeln!(f, "\ncolumns without a place")?;
            for column in columns {
                writeln!(f, "  {column}")?;
            }
        }
        Ok(())
    }

    fn print_rules(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.rules.is_empty() {
            writeln!(f, "\nvalues changed by rule")?;
        }
        for rule in &self.rules {
            let values = counted(rule.count, "value");
            writeln!(
                f,
                "  {}: {values} of {}.{}",
                rule.rule, rule.table, rule.column
            )?;
            for example in &rule.examples {
                writeln!(f, "    {}: {} → {}", example.key, example.from, example.to)?;
            }
        }
        Ok(())
    }

    fn print_verification(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verification {
            Some(Verification { records, .. }) if *records > 0 => {
                let verb = if *records == 1 { "was" } else { "were" };
                let records = counted(*records, "record");
                writeln!(
                    f,
                    "{records} {verb} read back from the target and compared: all equal"
                )
            }
            Some(_) => Ok(()),
            None => writeln!(
                f,
                "NOT VERIFIED: nothing was read back, as asked (--no-verify)"
            ),
        }
    }

    fn print_outcome(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inserted = counted(self.inserted(), "row");
        let speed = self.timings.rows_per_second;
        let took = self.timings.carrying_seconds + self.timings.verifying_seconds;
        match self.outcome {
            Outcome::Committed => write!(f, "carried {inserted}")?,
            Outcome::NothingToCarry => write!(
                f,
                "carried nothing: no row of the source could be added to the target, which is as it was"
            )?,
            Outcome::DryRun => write!(
                f,
                "dry run: {inserted} would be carried; everything was done and undone"
            )?,
        }
        writeln!(f, " (in {took:.1} s, {speed:.0} rows/s)")
    }
}

fn table_line(row: &TableReport) -> Vec<String> {
    let classes = &row.classes;
    let beyond: Vec<String> = row
        .beyond
        .iter()
        .map(|(table, count)| format!("{table}: {count}"))
        .collect();
    let beyond = if beyond.is_empty() {
        "0".to_owned()
    } else {
        beyond.join(", ")
    };
    let mut cells = vec![row.table.clone(), row.rows.to_string()];
    cells.extend(
        [
            classes.carried,
            classes.changed,
            classes.merged,
            classes.already_there,
            classes.conflict,
            classes.quarantined,
            classes.unmapped,
            classes.not_selected,
        ]
        .map(|count| count.to_string()),
    );
    cells.push(beyond);
    cells
}

fn print_findings(f: &mut fmt::Formatter<'_>, title: &str, findings: &Findings) -> fmt::Result {
    if findings.count == 0 {
        return Ok(());
    }
    writeln!(f, "\n{title}: {}", counted(findings.count, "row"))?;
    for finding in &findings.first {
        write!(f, "  {} {}: {}", finding.table, finding.key, finding.reason)?;
        match &finding.standing {
            Some(standing) => writeln!(f, " (stands: {standing})")?,
            None => writeln!(f)?,
        }
    }
    let more = findings.count - findings.first.len() as u64;
    if more > 0 {
        writeln!(f, "  … and {more} more")?;
    }
    Ok(())
}
