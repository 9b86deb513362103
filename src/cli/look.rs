//! Options that say how figures look and in which forms they are written.

use super::note;
use crate::pipeline::Failure;
use crate::report::raster::{MOST_SCALE, Raster};
use crate::report::{Pages, Theme};
use clap::Args;
use std::path::PathBuf;

/// How figures look.
#[derive(Debug, Args)]
#[command(next_help_heading = "Figures")]
pub(super) struct Look {
    /// Width: `single` (85 mm), `double` (180 mm), or millimetres.
    #[arg(long, value_parser = width, default_value = "double", value_name = "WIDTH")]
    width: f64,
    /// Font size in points; default: 7 below 120 mm, else 8.5.
    #[arg(long, value_parser = font_size, value_name = "POINTS")]
    font_size: Option<f64>,
    /// Light marks on dark paper.
    #[arg(long)]
    dark: bool,
    /// Write every figure as PNG too.
    #[arg(long)]
    png: bool,
    /// Pixels of a PNG: 1 is 96 per inch, 2 is 192.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_SCALE)), default_value_t = 2)]
    scale: u32,
    /// Write every figure as PDF too.
    #[arg(long)]
    pdf: bool,
    /// Font for PNG and PDF (TrueType or OpenType); default: the first family of the figures that is installed.
    #[arg(long, value_name = "FILE")]
    font_file: Option<PathBuf>,
}

/// Below this width, in millimetres, figures are set in the smaller size.
const NARROW_MM: f64 = 120.0;

impl Look {
    /// The theme that was asked for.
    pub(super) fn theme(&self) -> Theme {
        let plain = if self.width < NARROW_MM { Theme::single_column() } else { Theme::default() };
        let sized = Theme { width_mm: self.width, font_pt: self.font_size.unwrap_or(plain.font_pt), ..plain };
        if self.dark { sized.dark() } else { sized }
    }

    /// Adds the other forms of the figures that were asked for, and says in which font.
    pub(super) fn add_forms(&self, pages: &mut Pages) -> Result<(), Failure> {
        if !self.png && !self.pdf {
            return Ok(());
        }
        let raster = Raster::new(&self.theme(), self.font_file.as_deref())?;
        if self.png {
            raster.add_png(pages, self.scale)?;
        }
        if self.pdf {
            raster.add_pdf(pages)?;
        }
        note!("Figures as PNG or PDF are set in {}.", raster.family());
        Ok(())
    }
}

fn width(text: &str) -> Result<f64, String> {
    match text {
        "single" => Ok(Theme::SINGLE_MM),
        "double" => Ok(Theme::DOUBLE_MM),
        other => within(other, Theme::WIDTHS_MM, "`single`, `double`, or millimetres"),
    }
}

fn font_size(text: &str) -> Result<f64, String> {
    within(text, Theme::FONTS_PT, "points")
}

fn within(text: &str, (least, most): (f64, f64), what: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|n| *n >= least && *n <= most);
    number.ok_or_else(|| format!("must be {what} from {least} to {most}"))
}
