//! What figures promise: labels that neither touch nor leave, the size that was asked for, colours that are not needed.

use crate::report::{fixture, svg};
use fixture::{Shape, findings};
use quantbias::report::raster::Raster;
use quantbias::report::theme::{Colour, Colours};
use quantbias::report::{Pages, ReportError, Templates, Theme, render, write};
use std::collections::BTreeSet;
use std::path::Path;

fn shape(subgroups: usize, settings: usize) -> Shape {
    Shape { subgroups, settings, models: 1, hostile: false }
}

fn pages(shape: Shape, theme: &Theme) -> Pages {
    render(&findings(shape), theme, &Templates::embedded()).unwrap()
}

/// Figures of a report, by path.
fn figures(pages: &Pages) -> impl Iterator<Item = (&String, &str)> {
    let svg = pages.iter().filter(|(p, _)| p.starts_with("figures/") && p.ends_with(".svg"));
    svg.map(|(p, b)| (p, std::str::from_utf8(b).unwrap()))
}

/// Few and many subgroups and settings, long and hostile names.
fn shapes() -> [Shape; 5] {
    let hostile = Shape { models: 2, hostile: true, ..shape(12, 9) };
    [shape(3, 2), shape(3, 20), shape(60, 2), shape(60, 20), hostile]
}

/// Widths and font sizes from small to large.
fn themes() -> [Theme; 4] {
    let of = |width_mm: f64, font_pt: f64| Theme { width_mm, font_pt, ..Theme::default() };
    [Theme::single_column(), Theme::default(), of(70.0, 6.0), of(180.0, 12.0)]
}

/// Every figure of every shape in every theme goes through `check`.
fn each(check: impl Fn(&str, &str, &Theme)) {
    for shape in shapes() {
        for theme in themes() {
            for (path, svg) in figures(&pages(shape, &theme)) {
                check(&format!("{shape:?} at {} mm and {} pt, {path}", theme.width_mm, theme.font_pt), svg, &theme);
            }
        }
    }
}

#[test]
fn labels_do_not_leave_the_canvas() {
    each(|name, svg, _| {
        let (width, height) = svg::canvas(svg);
        for text in svg::texts(svg) {
            let b = text.bounds();
            let inside = b.left >= -0.5 && b.top >= -0.5 && b.right <= width + 0.5 && b.bottom <= height + 0.5;
            assert!(inside, "{name}: {:?} at {b:?} of {width} × {height}", text.words);
        }
    });
}

#[test]
fn labels_do_not_overlap() {
    each(|name, svg, _| {
        let texts = svg::texts(svg);
        for (i, a) in texts.iter().enumerate() {
            for b in &texts[i + 1..] {
                assert!(!a.bounds().overlaps(&b.bounds()), "{name}: {:?} and {:?}", a.words, b.words);
            }
        }
    });
}

#[test]
fn marks_and_lines_do_not_leave_the_canvas() {
    each(|name, svg, _| {
        let (width, height) = svg::canvas(svg);
        for (x, y) in svg::points(svg) {
            assert!((0.0..=width).contains(&x) && (0.0..=height).contains(&y), "{name}: {x}, {y}");
        }
    });
}

#[test]
fn a_figure_is_as_wide_as_the_theme_says_and_no_taller_than_a_page() {
    each(|name, svg, theme| {
        assert!(svg.contains(&format!(" width=\"{}mm\"", theme.width_mm)), "{name}");
        let (width, height) = svg::canvas(svg);
        let tall = height / width * theme.width_mm;
        assert!(tall <= theme.height_mm, "{name}: {tall} mm");
    });
}

#[test]
fn every_kind_of_figure_is_drawn() {
    let pages = pages(shape(12, 9), &Theme::default());
    let kinds: BTreeSet<&str> = figures(&pages)
        .map(|(path, _)| path.trim_start_matches("figures/").split(['-', '.']).next().unwrap())
        .collect();
    let expected = [
        "curve",
        "distribution",
        "flips",
        "forest",
        "gap",
        "matrix",
        "outcomes",
        "overview",
        "pairs",
        "power",
        "uncertainty",
        "volcano",
    ];
    assert_eq!(kinds, BTreeSet::from(expected));
}

#[test]
fn lines_over_bits_join_the_schemes_of_a_family_and_no_setting_of_a_name_of_its_own() {
    let drawn = |own: &dyn Fn(usize) -> bool| {
        let mut all = findings(shape(3, 9));
        for (i, setting) in all.audit.settings.iter_mut().filter(|s| !s.baseline && !s.aa).enumerate() {
            setting.own = own(i);
        }
        let pages = render(&all, &Theme::default(), &Templates::embedded()).unwrap();
        let (_, svg) = figures(&pages).find(|(path, _)| path.contains("curve")).unwrap();
        let of = |element: &str| svg.matches(element).count();
        (of("<path"), of("<circle") + of("<polygon") + of("<rect"))
    };
    let (lines, marks) = drawn(&|_| false);
    let (fewer, same) = drawn(&|_| true);
    assert!(fewer < lines, "{fewer} {lines}");
    assert_eq!(marks, same, "every setting keeps its mark");
}

#[test]
fn split_sheets_show_every_subgroup_at_every_setting_once() {
    let pages = pages(shape(60, 20), &Theme::default());
    for kind in ["forest", "overview"] {
        let mut seen: Vec<(String, String)> = Vec::new();
        let heads: Vec<String> = findings(shape(60, 20)).audit.settings.into_iter().map(|s| s.label).collect();
        for (_, svg) in
            figures(&pages).filter(|(p, _)| p.starts_with(&format!("figures/{kind}-")) && p.contains("pairs"))
        {
            let words: Vec<String> = svg::texts(svg).into_iter().map(|t| t.words).collect();
            for setting in words.iter().filter(|w| heads.contains(w)) {
                let rows = words.iter().filter(|w| w.starts_with("subgroup number"));
                seen.extend(rows.map(|row| (setting.clone(), row.clone())));
            }
        }
        let once: BTreeSet<&(String, String)> = seen.iter().collect();
        assert_eq!(once.len(), seen.len(), "{kind}: none stands twice");
        // 48 subgroups are named by number; one of the 20 settings has a name too long to be found whole.
        assert!(seen.len() >= 48 * 19, "{kind}: {}", seen.len());
    }
}

/// Relative luminance (WCAG 2.2, §"relative luminance").
fn luminance(c: Colour) -> f64 {
    0.2126 * linear(c.0) + 0.7152 * linear(c.1) + 0.0722 * linear(c.2)
}

/// Contrast ratio (WCAG 2.2, §"contrast ratio"), 1 to 21.
fn contrast(a: Colour, b: Colour) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn text_and_marks_stand_out_from_the_paper_light_and_dark() {
    for c in [Colours::LIGHT, Colours::DARK] {
        assert!(contrast(c.ink, c.paper) >= 7.0);
        assert!(contrast(c.ink, c.margin) >= 7.0);
        assert!(contrast(c.muted, c.paper) >= 4.5 && contrast(c.muted, c.margin) >= 4.5);
        for mark in c.series.into_iter().chain([c.up, c.down]) {
            assert!(contrast(mark, c.paper) >= 3.0, "{mark:?} on {:?}", c.paper);
            assert!(contrast(mark, c.margin) >= 3.0, "{mark:?} on {:?}", c.margin);
        }
    }
}

#[test]
fn outcomes_differ_in_lightness_so_that_a_grey_print_tells_them_apart() {
    for c in [Colours::LIGHT, Colours::DARK] {
        for (i, a) in c.outcomes.iter().enumerate() {
            for b in &c.outcomes[i + 1..] {
                assert!(contrast(*a, *b) >= 1.3, "{a:?} and {b:?}");
            }
        }
    }
}

/// Machado, Oliveira and Fernandes (2009), table 1, severity 1.0: protanomaly, deuteranomaly, tritanomaly, on linear RGB.
const BLIND: [[[f64; 3]; 3]; 3] = [
    [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
    [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
    [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]],
];

fn linear(v: u8) -> f64 {
    let v = f64::from(v) / 255.0;
    if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
}

/// CIE L*a*b* (D65) of linear sRGB.
fn lab(rgb: [f64; 3]) -> [f64; 3] {
    let [r, g, b] = rgb.map(|v| v.clamp(0.0, 1.0));
    let f = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
    let x = f((0.412_456 * r + 0.357_576 * g + 0.180_437 * b) / 0.950_47);
    let y = f(0.212_673 * r + 0.715_152 * g + 0.072_175 * b);
    let z = f((0.019_334 * r + 0.119_192 * g + 0.950_304 * b) / 1.088_83);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// CIE 1976 colour difference as seen through `eye`; 2.3 is just noticeable.
fn difference(a: Colour, b: Colour, eye: [[f64; 3]; 3]) -> f64 {
    let seen = |c: Colour| {
        let c = [linear(c.0), linear(c.1), linear(c.2)];
        lab(eye.map(|row| row.iter().zip(c).map(|(m, v)| m * v).sum()))
    };
    seen(a).iter().zip(seen(b)).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt()
}

#[test]
fn rising_and_falling_and_the_outcomes_are_told_apart_by_any_common_colour_vision() {
    for c in [Colours::LIGHT, Colours::DARK] {
        for eye in BLIND {
            assert!(difference(c.up, c.down, eye) >= 20.0);
            for (i, a) in c.outcomes.iter().enumerate() {
                for b in &c.outcomes[i + 1..] {
                    assert!(difference(*a, *b, eye) >= 10.0, "{a:?} and {b:?}: {}", difference(*a, *b, eye));
                }
            }
            for (i, a) in c.series.iter().enumerate().take(6) {
                for b in &c.series[i + 1..6] {
                    assert!(difference(*a, *b, eye) >= 5.0, "{a:?} and {b:?}: {}", difference(*a, *b, eye));
                }
            }
        }
    }
}

#[test]
fn a_dark_figure_has_no_colour_of_the_light_palette() {
    let pages = pages(shape(12, 9), &Theme::default().dark());
    let hex = |(r, g, b): Colour| format!("#{r:02X}{g:02X}{b:02X}");
    let dark: BTreeSet<String> = Colours::LIGHT.beside(&Colours::DARK).into_iter().map(|(_, d)| hex(d)).collect();
    for (path, svg) in figures(&pages) {
        for part in svg.split(['"', '\'']).filter(|part| part.starts_with('#') && part.len() == 7) {
            assert!(dark.contains(part), "{path}: {part}");
        }
    }
}

#[test]
fn one_bad_name_of_a_font_is_an_error_that_says_what_to_do() {
    let theme = Theme { font_family: "No Such Font Anywhere, sans-serif".into(), ..Theme::default() };
    let error = Raster::new(&theme, None).unwrap_err();
    assert!(matches!(error, ReportError::NoFont { .. }));
    assert!(error.to_string().contains("No Such Font Anywhere") && error.to_string().contains("--font-file"));
    let error = Raster::new(&theme, Some(Path::new("Cargo.toml"))).unwrap_err();
    assert!(matches!(error, ReportError::FontFile { .. }), "{error}");
}

/// Width and height of a PNG in pixels, and its pixels per metre.
fn png_size(png: &[u8]) -> (u32, u32, u32) {
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!(&png[37..41], b"pHYs");
    (number(16), number(20), number(41))
}

#[test]
fn a_png_and_a_pdf_have_the_size_of_the_figure_and_come_out_the_same_twice() {
    let theme = Theme::single_column();
    let Ok(raster) = Raster::new(&theme, None) else {
        println!("skipped: no font of the theme is installed");
        return;
    };
    let mut first = pages(shape(3, 2), &theme);
    let mut second = first.clone();
    for pages in [&mut first, &mut second] {
        raster.add_png(pages, 1).unwrap();
        raster.add_pdf(pages).unwrap();
    }
    let different: Vec<&String> = first.keys().filter(|path| first[*path] != second[*path]).collect();
    assert!(different.is_empty(), "{different:?}");
    let svg: Vec<&String> = first.keys().filter(|p| p.ends_with(".svg")).collect();
    for path in &svg {
        let (width, height) = svg::canvas(std::str::from_utf8(&first[*path]).unwrap());
        let (w, h, density) = png_size(&first[&path.replace(".svg", ".png")]);
        // 20 units are a millimetre, 96 pixels an inch.
        let pixels = |units: f64| units / 20.0 / 25.4 * 96.0;
        assert!((f64::from(w) - pixels(width)).abs() <= 1.0 && (f64::from(h) - pixels(height)).abs() <= 1.0, "{path}");
        assert_eq!(density, 3780);
        let pdf = String::from_utf8_lossy(&first[&path.replace(".svg", ".pdf")]).into_owned();
        let (_, rest) = pdf.split_once("/MediaBox [").unwrap();
        let sides: Vec<f64> = rest.split(']').next().unwrap().split_whitespace().map(|n| n.parse().unwrap()).collect();
        assert!((sides[2] - 85.0 / 25.4 * 72.0).abs() < 0.5, "{path}: {sides:?}");
        assert!((sides[3] - height / 20.0 / 25.4 * 72.0).abs() < 0.5, "{path}: {sides:?}");
    }
    let mut double = pages(shape(3, 2), &theme);
    raster.add_png(&mut double, 2).unwrap();
    let path = svg[0].replace(".svg", ".png");
    let (one, two) = (png_size(&first[&path]), png_size(&double[&path]));
    assert!(two.0.abs_diff(2 * one.0) <= 1 && two.2 == 7559, "{one:?} {two:?}");
}

/// Writes reports to the folder that the variable names, to be looked at.
#[test]
fn figures_can_be_looked_at() {
    let Ok(dir) = std::env::var("QUANTBIAS_LOOK") else { return };
    let names = ["s3x2", "s3x20", "s60x2", "s60x20", "hostile"];
    for (name, shape) in names.into_iter().zip(shapes()) {
        for (kind, theme) in
            [("double", Theme::default()), ("single", Theme::single_column()), ("dark", Theme::default().dark())]
        {
            let mut pages = pages(shape, &theme);
            Raster::new(&theme, None).unwrap().add_png(&mut pages, 1).unwrap();
            write(&pages, &Path::new(&dir).join(format!("{name}-{kind}"))).unwrap();
        }
    }
}
