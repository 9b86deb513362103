//! Tables for programs, and the sections made of them.

use super::{findings, pages_of_demo, shape, text};
use quantbias::findings::PaperRow;
use quantbias::report::{Templates, Theme, render};

#[test]
fn tables_have_the_same_columns_as_csv_json_and_parquet() {
    let pages = pages_of_demo();
    for name in ["contrasts", "estimates", "verdicts", "coverage", "families"] {
        let head = text(&pages, &format!("tables/{name}.csv")).lines().next().unwrap().to_owned();
        let json: serde_json::Value = serde_json::from_str(text(&pages, &format!("tables/{name}.json"))).unwrap();
        let columns: Vec<&str> = json["columns"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
        assert_eq!(head, columns.join(","));
        let rows = json["data"].as_array().unwrap();
        assert!(rows.iter().all(|r| r.as_array().unwrap().len() == columns.len()));
        let parquet = &pages[&format!("tables/{name}.parquet")];
        assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
        for column in &columns {
            assert!(parquet.windows(column.len()).any(|w| w == column.as_bytes()), "{name}: {column}");
        }
    }
}

#[test]
fn the_published_studys_values_have_a_section_of_global_ones_and_a_table_of_all() {
    let mut found = findings(shape(4, 3, false));
    let cell = found.contrasts[0].cell.clone();
    let setting = found.contrasts[0].setting.clone();
    let row = |subgroup: &str, change, value: Option<f64>| PaperRow {
        model: cell.model.clone(),
        benchmark: cell.benchmark.clone(),
        setting: setting.clone(),
        metric: "stereotype_score/global".to_owned(),
        subgroup: subgroup.to_owned(),
        value,
        items: 77,
        change,
        test: None,
        note: value.is_none().then(|| "nothing to divide by".to_owned()),
    };
    found.paper = vec![row("all", Some(-0.0123), Some(0.5678)), row("women", None, None)];
    let pages = render(&found, &Theme::default(), &Templates::embedded()).unwrap();
    let section = text(&pages, "report.md").split_once("The published study's values").unwrap().1;
    let lines: Vec<&str> = section.lines().filter(|l| l.contains("| 77 |")).collect();
    assert_eq!(lines.len(), 1, "values of subgroups stand in the table alone");
    assert!(lines[0].contains("| 0.5678 | −0.0123 | — | 77 |"), "{}", lines[0]);
    let csv = text(&pages, "tables/paper.csv");
    assert_eq!(csv.lines().count(), 3);
    assert!(csv.lines().nth(2).unwrap().ends_with("women,,,,,77,nothing to divide by"), "{csv}");
}
