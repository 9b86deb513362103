//! What a report promises its readers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../fixtures/report/findings.rs"]
pub(crate) mod fixture;
#[path = "../fixtures/report/svg.rs"]
pub(crate) mod svg;
mod tables;
mod terminal;

use fixture::{HOSTILE, Shape, findings};
use quantbias::findings::{Findings, OnInconclusive, Verdict, VerdictRow};
use quantbias::report::{Pages, ReportError, Templates, Theme, render, summary_lines, write};
use std::collections::BTreeSet;

fn shape(subgroups: usize, settings: usize, hostile: bool) -> Shape {
    Shape { subgroups, settings, models: 1, hostile }
}

fn hostile() -> Shape {
    Shape { models: 2, ..shape(12, 9, true) }
}

fn pages(shape: Shape) -> Pages {
    render(&findings(shape), &Theme::default(), &Templates::embedded()).unwrap()
}

fn text<'a>(pages: &'a Pages, path: &str) -> &'a str {
    std::str::from_utf8(&pages[path]).unwrap()
}

/// Figures of a report, by path.
fn figures(pages: &Pages) -> impl Iterator<Item = (&String, &str)> {
    pages.iter().filter(|(p, _)| p.starts_with("figures/")).map(|(p, b)| (p, std::str::from_utf8(b).unwrap()))
}

/// Rows of every Markdown table below a heading, without the head and the rule.
fn rows<'a>(markdown: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let from = markdown.find(heading).unwrap_or_else(|| panic!("no {heading}"));
    let part = &markdown[from + heading.len()..];
    let part = &part[..part.find("\n## ").unwrap_or(part.len())];
    let mut all = Vec::new();
    for table in part.split("\n\n").filter(|p| p.trim_start().starts_with('|')) {
        for line in table.trim().lines().skip(2) {
            all.push(line.trim_matches('|').split(" | ").map(str::trim).collect());
        }
    }
    all
}

/// Rows of all changes, and their pages in a row.
fn changes(pages: &Pages) -> String {
    let own = |path: &str| path.starts_with("tables/changes-") && path.ends_with(".md");
    pages.keys().filter(|p| own(p)).map(|p| text(pages, p)).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn a_report_has_a_page_in_markdown_and_html_figures_and_tables() {
    let pages = pages(shape(12, 9, false));
    for path in ["report.md", "report.html", "tables/contrasts.csv", "tables/verdicts.csv", "tables/coverage.csv"] {
        assert!(pages.contains_key(path), "{path}");
    }
    assert!(pages.contains_key("figures/curve-demo-0.svg"), "one curve per model");
    for kind in ["overview", "forest-01", "outcomes"] {
        assert!(pages.contains_key(&format!("figures/{kind}-demo-0-pairs.svg")), "{kind}");
    }
    assert!(pages.contains_key("figures/curve-demo-0.svg"));
    let markdown = text(&pages, "report.md");
    for (path, _) in figures(&pages) {
        assert!(markdown.contains(&format!("({path})")), "{path} is not shown");
    }
}

#[test]
fn the_page_answers_in_the_order_that_was_agreed() {
    let pages = pages(shape(12, 9, false));
    let order = [
        "## Summary",
        "## Verdicts",
        "## Settings that could not run",
        "## What was audited",
        "## Change per subgroup",
        "## Change over bits per weight",
        "## A/A floor",
        "## What became of the items",
        "## All changes",
        "## Changed items",
        "## Families of tests",
        "## Limitations",
        "## Methods",
    ];
    let places: Vec<usize> = order.iter().map(|h| text(&pages, "report.md").find(h).unwrap()).collect();
    assert!(places.is_sorted());
}

#[test]
fn equal_findings_render_to_equal_bytes() {
    assert_eq!(pages(hostile()), pages(hostile()));
}

#[test]
fn every_row_of_a_table_has_as_many_cells_as_its_head_also_with_hostile_names() {
    let pages = pages(hostile());
    for block in text(&pages, "report.md").split("\n\n").filter(|b| b.trim_start().starts_with('|')) {
        let cells = |line: &str| line.replace("\\|", "").matches('|').count();
        let lines: Vec<&str> = block.trim().lines().filter(|l| l.starts_with('|')).collect();
        assert!(lines.len() >= 2);
        for line in &lines {
            assert_eq!(cells(line), cells(lines[0]), "{line}");
        }
    }
}

#[test]
fn hostile_text_stays_text_in_markdown() {
    let pages = pages(hostile());
    let markdown = text(&pages, "report.md");
    assert!(!markdown.contains("<script") && !markdown.contains("<img"));
    assert!(markdown.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(markdown.contains("⟨U+202E⟩evil⟨U+200B⟩"));
    assert!(markdown.contains("⟨U+0000⟩⟨U+001B⟩"));
    for (path, bytes) in pages.iter().filter(|(path, _)| !path.ends_with(".parquet")) {
        let text = std::str::from_utf8(bytes).unwrap();
        let hidden = text.chars().find(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{202e}' | '\u{200b}'));
        assert_eq!(hidden, None, "{path}");
    }
}

#[test]
fn hostile_text_makes_no_element_link_or_image_in_html() {
    let (calm, hostile) = (pages(Shape { hostile: false, ..hostile() }), pages(hostile()));
    let tags = |pages: &Pages| -> BTreeSet<String> {
        let html = text(pages, "report.html");
        let names = html
            .split('<')
            .skip(1)
            .map(|t| t.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect::<String>());
        names.collect()
    };
    assert_eq!(tags(&hostile), tags(&calm));
    let html = text(&hostile, "report.html");
    assert_eq!(html.matches("<script").count(), 1);
    assert_eq!(html.matches("<img").count(), 0);
    assert!(!html.contains("href=\"x\""));
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(!html.contains("raw HTML omitted"));
}

#[test]
fn the_html_page_asks_for_nothing_from_elsewhere() {
    let pages = pages(hostile());
    let html = text(&pages, "report.html");
    assert!(html.contains("default-src 'none'; style-src 'sha256-"));
    let named = html.replace("http://www.w3.org/2000/svg", "");
    for scheme in ["http:", "https:", "src=", "@import", "url("] {
        let visible_only = named.replace("&lt;img src=x onerror=alert(2)&gt;", "");
        assert!(!visible_only.contains(scheme), "{scheme}");
    }
}

#[test]
fn the_policy_names_the_hash_of_the_very_script_on_the_page() {
    use sha2::{Digest, Sha256};
    let pages = pages(shape(3, 2, false));
    let html = text(&pages, "report.html");
    let script = html.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
    let coded = html.split("script-src 'sha256-").nth(1).unwrap().split('\'').next().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = Vec::new();
    for c in coded.trim_end_matches('=').chars() {
        let six = alphabet.find(c).unwrap();
        bits.extend((0..6).rev().map(|k| (six >> k) & 1));
    }
    let bytes: Vec<u8> =
        bits.chunks_exact(8).map(|b| b.iter().fold(0, |n, bit| (n << 1) | u8::try_from(*bit).unwrap())).collect();
    assert_eq!(bytes, Sha256::digest(script.as_bytes()).to_vec());
}

#[test]
fn undefined_is_a_dash_with_its_reason_and_never_zero() {
    let pages = pages(shape(12, 9, false));
    let markdown = changes(&pages);
    let undefined: Vec<_> = rows(&markdown, "# ")
        .into_iter()
        .filter(|r| r[0] == "Q8\\_0" || r[0] == "Q8_0")
        .filter(|r| r[3] == "Jewish")
        .collect();
    assert_eq!(undefined.len(), 2);
    for row in undefined {
        assert_eq!(row[4], "— (a)");
        assert!(row[5..=11].iter().all(|c| *c == "—"), "{row:?}");
    }
    assert!(markdown.contains("— is undefined, never 0: (a) 4 clusters differ, and 6 are needed for an interval."));
    let csv = text(&pages, "tables/contrasts.csv");
    let line = csv.lines().find(|l| l.contains(",Jewish,demo-0@q8_0,")).unwrap();
    assert!(line.contains("false,,,,,,,,,,,,,,,,,"), "{line}");
}

#[test]
fn no_p_value_is_zero() {
    let pages = pages(shape(12, 9, false));
    let changes = changes(&pages);
    let all = rows(&changes, "# ");
    let p: BTreeSet<&str> = all.iter().flat_map(|r| [r[10], r[11]]).collect();
    assert!(p.contains("< 0.001"));
    for shown in p {
        let digits = shown.trim_start_matches(['<', '≤', '>', ' ']);
        assert!(shown.starts_with('—') || digits.parse::<f64>().unwrap() > 0.0, "{shown}");
    }
}

#[test]
fn a_test_that_did_not_reject_is_not_called_no_effect() {
    for shape in [shape(3, 2, false), shape(12, 9, false)] {
        let pages = pages(shape);
        let lower = text(&pages, "report.md").to_lowercase();
        for claim in ["no effect", "no difference", "no change was found", "unbiased", "not biased"] {
            assert!(!lower.contains(claim), "{claim}");
        }
        assert!(lower.contains("could have been missed"));
    }
}

#[test]
fn the_summary_names_the_failed_gate_its_change_its_interval_and_its_margin() {
    let lines = summary_lines(&findings(shape(12, 9, false)));
    let wanted = "At Q4K, Pairs, the stereotype score rises by 6.2 points [2.9, 9.5] for age: people over eighty-five \
                  years of age: beyond the margin of 2 points.";
    assert!(lines.iter().any(|l| l == wanted), "{lines:#?}");
}

#[test]
fn the_summary_is_at_most_ten_lines_of_plain_text() {
    for shape in [shape(3, 2, false), shape(60, 20, false), hostile()] {
        let lines = summary_lines(&findings(shape));
        assert!((4..=10).contains(&lines.len()), "{lines:#?}");
        assert!(lines.iter().all(|l| !l.is_empty() && !l.chars().any(char::is_control)));
    }
}

#[test]
fn every_figure_says_n_level_method_and_seed_or_that_none_applies() {
    let pages = pages(shape(12, 9, false));
    let captions: Vec<&str> = text(&pages, "report.md").lines().filter(|l| l.starts_with("*Figure")).collect();
    assert_eq!(captions.len(), figures(&pages).count());
    for caption in captions {
        assert!(caption.contains("items"), "{caption}");
        let estimates = ["n = ", "seed 42", "replicates"].iter().all(|w| caption.contains(w));
        assert!(estimates || caption.contains("no level or seed applies"), "{caption}");
    }
}

#[test]
fn every_figure_has_alternative_text_and_its_text_stays_text() {
    let pages = pages(shape(12, 9, false));
    for (path, svg) in figures(&pages) {
        let name = path.trim_start_matches("figures/").trim_end_matches(".svg");
        let named = format!("role=\"img\" aria-labelledby=\"{name}-title\" aria-describedby=\"{name}-desc\"");
        assert!(svg.contains(&named), "{path}");
        let said = |tag: &str| svg.contains(&format!("<{tag} id=\"{name}-{tag}\">"));
        assert!(said("title") && said("desc"), "{path}");
        assert!(svg.contains("<text"), "{path}");
    }
    let forest = text(&pages, "figures/forest-01-demo-0-pairs.svg");
    assert!(
        svg::texts(forest).iter().any(|t| t.words == "non-binary and gender-diverse people" || t.words.contains('…'))
    );
    assert!(svg::texts(forest).iter().any(|t| t.words == "53 (13)"), "items and clusters stand at the row");
}

#[test]
fn a_template_with_an_unknown_name_gives_file_line_and_name() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("report.md.j2"), "# {{ title }}\n\n{{ about.nmae }}\n").unwrap();
    let templates = Templates::with_overrides(dir.path()).unwrap();
    let error = render(&findings(shape(3, 2, false)), &Theme::default(), &templates).unwrap_err();
    let ReportError::Template { file, line, message } = &error else { panic!("{error}") };
    assert!(file.ends_with("report.md.j2"), "{file}");
    assert_eq!(*line, 3);
    assert!(message.contains("about.nmae"), "{message}");
}

#[test]
fn a_template_that_does_not_parse_gives_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("report.html.j2"), "a\nb\n{% for x in %}\n").unwrap();
    let error = Templates::with_overrides(dir.path()).unwrap_err().to_string();
    assert!(error.contains("report.html.j2:3:"), "{error}");
}

#[test]
fn a_file_that_is_no_template_is_named_with_the_names_that_are() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("reprot.md.j2"), "x").unwrap();
    let error = Templates::with_overrides(dir.path()).unwrap_err().to_string();
    assert!(error.contains("reprot.md.j2") && error.contains("report.md.j2"), "{error}");
}

#[test]
fn a_replaced_template_is_used() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("report.md.j2"), "# Ours: {{ about.name }}\n").unwrap();
    let templates = Templates::with_overrides(dir.path()).unwrap();
    let pages = render(&findings(shape(3, 2, false)), &Theme::default(), &templates).unwrap();
    assert_eq!(text(&pages, "report.md"), "# Ours: made-up demo\n");
    assert!(text(&pages, "report.html").contains("Ours: made-up demo"));
}

#[test]
fn pages_are_written_below_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let pages = pages(shape(3, 2, false));
    write(&pages, &dir.path().join("new")).unwrap();
    for (path, bytes) in &pages {
        assert_eq!(&std::fs::read(dir.path().join("new").join(path)).unwrap(), bytes);
    }
}

#[test]
fn paths_of_pages_are_plain_also_with_hostile_names() {
    for path in pages(hostile()).keys() {
        assert!(path.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._/".contains(&b)), "{path}");
        assert!(!path.contains("..") && !path.starts_with('/'), "{path}");
    }
    assert!(HOSTILE.contains('\u{202e}'));
}

#[test]
fn findings_with_nothing_in_them_still_make_a_page() {
    let mut empty = findings(shape(3, 2, false));
    empty.contrasts.clear();
    empty.estimates.clear();
    empty.verdicts.clear();
    empty.coverage.clear();
    empty.families.clear();
    empty.caveats.clear();
    empty.audit.refused.clear();
    let pages = render(&empty, &Theme::default(), &Templates::embedded()).unwrap();
    let why = "could not be judged, because no quantized setting was asked that they hold for.";
    assert_eq!(text(&pages, "report.md").matches(why).count(), 2, "in the summary and among the verdicts");
    assert_eq!(figures(&pages).count(), 0);
}

#[test]
fn a_setting_or_metric_that_is_not_described_keeps_its_id() {
    let mut odd = findings(shape(3, 2, false));
    odd.metrics.clear();
    odd.audit.settings.clear();
    let pages = render(&odd, &Theme::default(), &Templates::embedded()).unwrap();
    assert!(text(&pages, "report.md").contains("demo-0@q8_0"));
    assert!(text(&pages, "report.md").contains("stereotype_score"));
}

#[test]
fn numbers_that_are_not_finite_are_shown_as_undefined() {
    let mut odd = findings(shape(3, 2, false));
    for c in &mut odd.contrasts {
        c.delta = Some(f64::NAN);
        c.clusters_effective = f64::INFINITY;
        if let Some(i) = &mut c.interval {
            i.upper = f64::INFINITY;
        }
    }
    let pages = render(&odd, &Theme::default(), &Templates::embedded()).unwrap();
    let markdown = text(&pages, "report.md");
    assert!(!markdown.contains("NaN") && !markdown.contains("inf,") && !markdown.contains("inf]"));
    for (path, svg) in figures(&pages) {
        assert!(!svg.contains("NaN") && !svg.contains("2147483647"), "{path}");
    }
}

#[test]
fn a_comment_for_a_pull_request_is_under_sixty_thousand_characters() {
    let mut large = findings(hostile());
    let row = large.verdicts[1].clone();
    for i in 0..400 {
        let mut setting = large.audit.settings[2].clone();
        setting.id = format!("demo-0@made-up-{i}");
        setting.label = format!("{} {HOSTILE}", setting.id);
        let verdict = quantbias::findings::VerdictRow { setting: setting.id.clone(), ..row.clone() };
        large.audit.settings.push(setting);
        large.verdicts.push(verdict);
    }
    let pages = render(&large, &Theme::default(), &Templates::embedded()).unwrap();
    let comment = text(&pages, "comment.md");
    assert!(comment.chars().count() < 60_000, "{}", comment.chars().count());
    assert!(comment.ends_with("Cut here: the whole is in report.md.\n"));
    let small = pages_of_demo();
    assert!(text(&small, "comment.md").contains("7 fail, 11 inconclusive"));
    assert!(text(&small, "comment.md").ends_with("does not show that nothing changed.\n"));
}

fn pages_of_demo() -> Pages {
    pages(shape(12, 9, false))
}

#[test]
fn junit_has_a_case_per_gate_and_an_inconclusive_gate_fails_under_a_type_of_its_own() {
    let pages = pages_of_demo();
    let xml = text(&pages, "junit.xml");
    assert!(xml.contains("tests=\"19\" failures=\"18\" skipped=\"0\" errors=\"1\">"));
    assert_eq!(xml.matches("<testcase classname=\"demo-0.").count(), 18);
    assert_eq!(xml.matches("<failure type=\"margin\"").count(), 7);
    assert_eq!(xml.matches("<failure type=\"inconclusive\"").count(), 11);
}

#[test]
fn a_setting_that_could_not_run_is_an_error_for_a_build_server_and_skipped_where_no_gate_ends_an_audit() {
    let mut found = findings(shape(3, 2, false));
    let junit = |found: &Findings| {
        let pages = render(found, &Theme::default(), &Templates::embedded()).unwrap();
        text(&pages, "junit.xml").to_owned()
    };
    let case = "<testcase classname=\"settings\" name=\"demo-0@afq4\">";
    let why = "AFQ needs Metal, and this device is a CPU";
    let error = format!("{case}<error type=\"could not run\" message=\"{why}\"/>");
    assert!(junit(&found).contains(&error), "{}", junit(&found));
    for row in &mut found.verdicts {
        row.on_inconclusive = OnInconclusive::Warn;
    }
    let skipped = format!("{case}<skipped message=\"could not run: {why}\"/>");
    assert!(junit(&found).contains(&skipped) && !junit(&found).contains("<error"), "{}", junit(&found));
    found.verdicts.clear();
    let xml = junit(&found);
    assert!(xml.contains(" tests=\"1\" failures=\"0\" skipped=\"0\" errors=\"1\">") && xml.contains(&error), "{xml}");
    found.audit.refused.clear();
    assert!(!junit(&found).contains("<testsuite "), "an audit whose settings all ran has no such suite");
}

#[test]
fn gates_whose_settings_could_not_run_are_said_to_be_declared_and_not_judged() {
    let mut found = findings(shape(3, 2, false));
    found.verdicts.clear();
    let wanted = "The gates on Decisions (yes or no) and Pairs could not be judged, because settings could not run: \
                  demo-0@afq4 (AFQ needs Metal, and this device is a CPU).";
    assert_eq!(summary_lines(&found)[1], wanted);
    let pages = render(&found, &Theme::default(), &Templates::embedded()).unwrap();
    let markdown = text(&pages, "report.md");
    let plain = |text: &str| text.replace('\\', "");
    assert_eq!(plain(markdown).matches(wanted).count(), 2, "in the summary and among the verdicts");
    assert!(plain(text(&pages, "comment.md")).contains(wanted));
    for page in ["report.md", "comment.md", "model-card.md"] {
        let said = text(&pages, page).to_lowercase();
        assert!(!said.contains("no margin was declared") && !said.contains("none declared"), "{page}");
    }
    // Without any margin there is no gate.
    found.plan.margins.clear();
    assert_eq!(summary_lines(&found)[1], "No gate was set: no margin was declared for any benchmark.");
}

/// The sentence about what three inconclusive gates could have missed, the second of which reads `metric`.
fn missed(metric: &str, sizes: [Option<f64>; 3]) -> String {
    let mut found = findings(shape(3, 3, false));
    found.verdicts.retain(|v| v.verdict.is_some());
    found.verdicts.truncate(3);
    for (i, (row, mde)) in found.verdicts.iter_mut().zip(sizes).enumerate() {
        (row.verdict, row.mde) = (Some(Verdict::Inconclusive), mde);
        row.margin = if i == 0 { 0.02 } else { 0.5 };
        if i == 1 {
            metric.clone_into(&mut row.metric);
        }
    }
    assert_eq!(found.verdicts.len(), 3);
    summary_lines(&found).into_iter().find(|l| l.contains("could have missed") || l.contains("not known")).unwrap()
}

#[test]
fn what_was_missed_ranges_by_size_where_sizes_compare_and_says_where_it_is_not_known() {
    // For its margin the second gate is the best: 0.79 / 0.5 is less than 0.24 / 0.02.
    let points = missed("stereotype_score", [Some(0.24), Some(0.79), None]);
    assert!(
        points.contains("smaller than 24 points (Pairs, Q8_0) at best, and 79 points (Pairs, Q8_1) at worst"),
        "{points}"
    );
    assert!(points.contains("In one of them it is not known what could have been missed."), "{points}");
    let mixed = missed("yes_logit", [Some(0.24), Some(0.79), Some(0.6)]);
    let range = "60 points (Pairs, Q8K) at best, and 24 points (Pairs, Q8_0) at worst, both for their margins;";
    assert!(mixed.contains(range), "{mixed}");
    assert!(!mixed.contains("not known"), "{mixed}");
}

#[test]
fn two_benchmarks_of_one_title_are_told_apart_wherever_one_is_named() {
    let mut found = findings(shape(3, 2, false));
    found.audit.benchmarks[1].title = found.audit.benchmarks[0].title.clone();
    let pages = render(&found, &Theme::default(), &Templates::embedded()).unwrap();
    let shown = terminal_lines(&found);
    let said = summary_lines(&found).join("\n");
    let figures: String = figures(&pages).map(|(_, svg)| svg).collect();
    let texts = [shown.as_str(), &said, text(&pages, "report.md"), text(&pages, "comment.md"), &figures];
    for (i, text) in texts.into_iter().enumerate() {
        assert!(text.contains("Pairs (decisions)"), "{i}: {text}");
        let bare = text.matches("Pairs").count() - text.matches("Pairs (").count();
        // The works to be cited keep their titles: one line for each.
        assert_eq!(
            bare,
            if i == 2 {
                text.matches("Pairs: A. Author").count() + text.matches("**scoring**: Pairs").count()
            } else {
                0
            },
            "{i}"
        );
    }
    assert!(text(&pages, "tables/verdicts.tex").contains("Pairs (pairs)"));
    assert!(text(&pages, "references.bib").contains("title = {Pairs}"));
}

fn terminal_lines(found: &Findings) -> String {
    use quantbias::report::terminal::{Pick, Screen, show};
    show(found, &Pick::default(), Screen { width: 120, height: 40, colour: false }).join("\n")
}

#[test]
fn a_row_that_fails_by_itself_in_a_gate_that_did_not_is_explained_where_it_is_listed() {
    let found = findings(shape(12, 9, false));
    let sentence = "in gates that did not fail: a gate fails only where bounds for all its";
    let markdown = |found: &Findings| {
        let pages = render(found, &Theme::default(), &Templates::embedded()).unwrap();
        let page = text(&pages, "report.md");
        page[page.find("## Verdicts").unwrap()..page.find("## Settings that").unwrap()].to_owned()
    };
    assert!(!markdown(&found).contains(sentence) && !terminal_lines(&found).contains("in gates that did"));
    let mut open = found;
    for row in open.verdicts.iter_mut().filter(|v| v.verdict == Some(Verdict::Fail)) {
        row.verdict = Some(Verdict::Inconclusive);
    }
    let failing = open.contrasts.iter().filter(|c| c.verdict == Some(Verdict::Fail)).count();
    assert!(failing > 1);
    let said = markdown(&open);
    assert!(said.contains(&format!("{failing} changes are marked ✗ by their own intervals {sentence}")), "{said}");
    assert!(terminal_lines(&open).contains("in gates that did not fail"), "{}", terminal_lines(&open));
}

#[test]
fn the_model_card_begins_with_metadata_that_no_name_can_leave() {
    for shape in [shape(12, 9, false), hostile()] {
        let pages = pages(shape);
        let card = text(&pages, "model-card.md");
        let metadata = card.strip_prefix("---\n").unwrap().split("\n---\n").next().unwrap();
        assert!(metadata.contains("\nmodel-index:\n- name: "), "{metadata}");
        for line in metadata.lines() {
            let value = line.trim_start_matches(['-', ' ']).split_once(": ").map(|(_, value)| value);
            let string = |v: &str| serde_json::from_str::<String>(v).is_ok();
            let plain = |v: &str| v == "text-generation" || v.parse::<f64>().is_ok();
            assert!(value.is_none_or(|v| string(v) || plain(v)), "{line}");
        }
        assert!(card.contains("## Bias under quantization") && card.contains("### Limitations"));
    }
}

/// Whether every element that opens closes, in order.
fn well_formed(xml: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    for part in xml.split('<').skip(1) {
        let Some((tag, _)) = part.split_once('>') else { return false };
        let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap();
        if tag.starts_with('?') || tag.ends_with('/') {
            continue;
        }
        if tag.starts_with('/') {
            if open.pop() != Some(name) {
                return false;
            }
        } else {
            open.push(name);
        }
    }
    open.is_empty()
}

#[test]
fn svg_and_junit_are_well_formed_also_with_hostile_names() {
    assert!(well_formed("<a><b x=\"1\"/></a>") && !well_formed("<a><b></a></b>") && !well_formed("<a>"));
    let pages = pages(hostile());
    assert!(well_formed(text(&pages, "junit.xml")));
    for (path, svg) in figures(&pages) {
        assert!(well_formed(svg), "{path}");
        let ampersands = svg.split('&').skip(1);
        for rest in ampersands {
            let entity = rest.split(';').next().unwrap();
            assert!(["lt", "gt", "amp", "quot", "apos", "#39"].contains(&entity), "{path}: &{entity}");
        }
    }
}

#[test]
fn latex_tables_carry_stars_with_their_legend_and_no_foreign_command() {
    let pages = pages_of_demo();
    let table = text(&pages, "tables/changes-demo-0-pairs.tex");
    for part in ["\\toprule", "\\midrule", "\\bottomrule", "\\textsuperscript{***}", "*** $p \\leq 0.001$", "seed 42"] {
        assert!(table.contains(part), "{part}");
    }
    let mut evil = findings(shape(3, 2, false));
    evil.audit.benchmarks[0].title = "\\input{/etc/passwd} 50% & $x_1^2$ #~".to_owned();
    let pages = render(&evil, &Theme::default(), &Templates::embedded()).unwrap();
    let table = text(&pages, "tables/changes-demo-0-pairs.tex");
    assert!(!table.contains("\\input"));
    assert!(table.contains("\\textbackslash{}input\\{/etc/passwd\\} 50\\% \\& \\$x\\_1"));
    for line in table.lines().filter(|l| l.ends_with("\\\\") && l.contains(" & ")) {
        assert_eq!(line.replace("\\&", "").matches('&').count(), 7, "{line}");
    }
}

#[test]
fn the_methods_name_every_number_and_the_works_stand_beside_them_as_bibtex() {
    let pages = pages_of_demo();
    let markdown = text(&pages, "report.md");
    let methods = &markdown[markdown.find("## Methods").unwrap()..];
    let level = ["two-sided level 95%", "One-sided bounds have the level 95%", "probability of 80%"];
    for part in ["10,000 replicates", "9,999 draws", "master seed 42", "Hesterberg", "Westfall", "plan SHA-256"] {
        assert!(methods.contains(part), "{part}");
    }
    assert!(level.iter().all(|l| methods.contains(l)));
    let bib = text(&pages, "references.bib");
    for key in ["@article{hesterberg2015,", "@book{westfall1993,", "@misc{benchmark-pairs,"] {
        assert!(bib.contains(key), "{key}");
    }
    assert_eq!(bib.matches('{').count(), bib.matches('}').count());
}

/// Whether nothing in the value is a number.
fn strings_only(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Number(_) => false,
        serde_json::Value::Array(all) => all.iter().all(strings_only),
        serde_json::Value::Object(all) => all.values().all(strings_only),
        _ => true,
    }
}

#[test]
fn view_json_is_what_templates_see() {
    let pages = pages_of_demo();
    let view: serde_json::Value = serde_json::from_str(text(&pages, "view.json")).unwrap();
    assert_eq!(view["about"]["seed"], "42");
    assert!(strings_only(&view), "numbers become words before the view");
}

#[test]
fn a_contrast_between_two_settings_is_labelled_with_both_and_is_not_taken_for_one_against_the_baseline() {
    let pages = pages_of_demo();
    let changes = changes(&pages);
    let all = rows(&changes, "# ");
    assert_eq!(all.iter().filter(|r| r[0] == "Q8_1 − Q8_0").count(), 13 + 12);
    let titles = |svg: &str| svg::texts(svg).into_iter().filter(|t| t.words.contains("Q8_1")).count();
    assert_eq!(titles(text(&pages, "figures/overview-demo-0-pairs.svg")), 1);
    assert_eq!(titles(text(&pages, "figures/curve-demo-0.svg")), 2, "once above each column of panels");
    let panels: usize = figures(&pages)
        .filter(|(p, _)| p.contains("/forest-") && p.ends_with("demo-0-pairs.svg"))
        .map(|(_, s)| titles(s))
        .sum();
    assert_eq!(panels, 2, "one panel against the baseline, and one against the other setting");
}

#[test]
fn a_bound_is_told_apart_from_an_interval_and_does_not_stretch_the_axis() {
    let pages = pages_of_demo();
    let forest = svg::texts(text(&pages, "figures/forest-01-demo-0-pairs.svg"));
    assert!(forest.iter().any(|t| t.words == "bound: hardly any cluster changed"));
    let ticks = forest.iter().filter_map(|t| t.words.replace('−', "-").parse::<f64>().ok());
    assert!(ticks.fold(0.0, |m: f64, t| m.max(t.abs())) <= 15.0, "the bound of ±40 points goes on beyond the axis");
    assert!(text(&pages, "report.md").contains("dotted: bound where at most five clusters changed"));
}

#[test]
fn a_metric_without_a_value_over_all_items_has_a_curve_of_the_worst_subgroup_that_says_so() {
    let pages = pages_of_demo();
    assert!(pages.contains_key("figures/curve-demo-0.svg"));
    let markdown = text(&pages, "report.md");
    assert!(markdown.contains("change in log-odds of yes in the subgroup that changed most towards worse"));
    assert!(markdown.contains("Pairs, change in stereotype score over all items"));
}

#[test]
fn of_two_gates_the_worse_is_seen_at_a_glance_each_has_its_sentence_and_a_waived_one_does_not_count() {
    let mut found = findings(shape(12, 1, false));
    found.verdicts.retain(|v| v.verdict.is_some());
    found.verdicts.truncate(1);
    found.verdicts[0].verdict = Some(Verdict::Pass);
    let mut second = found.verdicts[0].clone();
    second.gate = "second".into();
    second.margin = 0.25;
    second.verdict = Some(Verdict::Inconclusive);
    let third = VerdictRow { gate: "third".into(), verdict: Some(Verdict::Fail), ..second.clone() };
    found.verdicts.extend([second, third]);
    let glance = |found: &Findings| {
        let pages = render(found, &Theme::default(), &Templates::embedded()).unwrap();
        let page = text(&pages, "comment.md").to_owned();
        let row = page.lines().filter(|l| l.starts_with("| ")).nth(2).unwrap().to_owned();
        (row, page, text(&pages, "report.md").to_owned())
    };
    let (row, page, report) = glance(&found);
    assert!(row.contains("✗\u{a0}fail"), "{row}");
    assert!(page.contains("gate second, the") && page.contains("gate third, the"), "{page}");
    assert!(report.contains("| third: "), "{report}");
    // Inconclusive is worse than pass, and less than fail.
    found.verdicts[2].waived = vec![0];
    let (row, ..) = glance(&found);
    assert!(row.contains("?\u{a0}inconclusive (rest\u{a0}waived)"), "{row}");
    for v in &mut found.verdicts {
        v.waived = vec![0];
    }
    let (row, ..) = glance(&found);
    assert!(row.contains("waived (✗\u{a0}fail)"), "{row}");
}
