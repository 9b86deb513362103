//! The columns of the tables of exploratory rows.

use super::sheet::{Rows, Sheet};
use crate::findings::{
    DistributionRow, Findings, FlipRow, HeterogeneityRow, MissingRow, MissingTreatment, OmnibusRow, OutcomeRow,
    PaperRow, PowerRow, RangeRow, SensitivityRow, ShrunkRow, TrendRow, UncertaintyRow,
};
use crate::report::names::verdict_word;

/// A treatment of missing answers with the row that it belongs to.
type MissingPart<'a> = (&'a MissingRow, &'a MissingTreatment);

/// The tables that have rows.
pub(super) fn sheets(f: &Findings) -> Vec<Sheet> {
    let missing: Vec<MissingPart<'_>> =
        f.missing.iter().flat_map(|m| m.treatments.iter().map(move |t| (m, t))).collect();
    let all = vec![
        ranges(&f.ranges),
        heterogeneity(&f.heterogeneity),
        shrunk(&f.shrunk),
        flips(&f.flips),
        uncertainty(&f.uncertainty),
        distributions(&f.distributions),
        outcomes(&f.outcomes),
        omnibus(&f.omnibus),
        trends(&f.trends),
        sensitivity(&f.sensitivity),
        power(&f.power),
        missing_answers(&missing),
        paper(&f.paper),
    ];
    all.into_iter().filter(|sheet| sheet.height > 0).collect()
}

fn ranges(rows: &[RangeRow]) -> Sheet {
    Rows::of("ranges", rows)
        .cell(|r| &r.cell)
        .name("setting", |r| &r.setting)
        .flag("aa", |r| r.aa)
        .text("against", |r| r.against.clone())
        .count("subgroups", |r| Some(r.subgroups))
        .text("lowest", |r| r.lowest.clone())
        .text("highest", |r| r.highest.clone())
        .number("value", |r| r.value)
        .number("null_mean", |r| r.null_mean)
        .number("null_lower", |r| r.null_band.map(|b| b[0]))
        .number("null_upper", |r| r.null_band.map(|b| b[1]))
        .limits("", |r| r.interval)
        .number("spread", |r| r.spread)
        .test("", |r| r.test.as_ref())
        .number("change", |r| r.change)
        .limits("change", |r| r.change_interval)
        .flag("near_kink", |r| r.near_kink)
        .text("note", |r| r.note.clone())
        .done()
}

fn heterogeneity(rows: &[HeterogeneityRow]) -> Sheet {
    Rows::of("heterogeneity", rows)
        .cell(|r| &r.cell)
        .name("setting", |r| &r.setting)
        .name("against", |r| &r.against)
        .flag("aa", |r| r.aa)
        .count("subgroups", |r| Some(r.subgroups))
        .number("q", |r| r.q)
        .test("", |r| r.test.as_ref())
        .text("note", |r| r.note.clone())
        .done()
}

fn shrunk(rows: &[ShrunkRow]) -> Sheet {
    Rows::of("shrunk", rows)
        .cell(|r| &r.cell)
        .name("setting", |r| &r.setting)
        .name("against", |r| &r.against)
        .number("delta", |r| Some(r.delta))
        .number("se", |r| Some(r.se))
        .number("shrunk", |r| Some(r.shrunk))
        .number("mean", |r| Some(r.mean))
        .number("tau", |r| Some(r.tau))
        .number("probability_first", |r| r.probability_first)
        .done()
}

fn flips(rows: &[FlipRow]) -> Sheet {
    Rows::of("flips", rows)
        .cell(|r| &r.cell)
        .name("setting", |r| &r.setting)
        .name("against", |r| &r.against)
        .flag("aa", |r| r.aa)
        .count("items", |r| Some(r.items))
        .count("clusters", |r| Some(r.clusters))
        .count("n00", |r| Some(r.counts.n00))
        .count("n01", |r| Some(r.counts.n01))
        .count("n10", |r| Some(r.counts.n10))
        .count("n11", |r| Some(r.counts.n11))
        .number("rate", |r| Some(r.rate))
        .limits("rate", |r| r.rate_interval)
        .number("became", |r| r.became)
        .limits("became", |r| r.became_interval)
        .number("ceased", |r| r.ceased)
        .limits("ceased", |r| r.ceased_interval)
        .number("net", |r| Some(r.net))
        .limits("net", |r| r.net_interval)
        .number("masked", |r| r.masked)
        .number("odds", |r| r.odds)
        .number("mcnemar", |r| r.mcnemar)
        .number("mcnemar_mid", |r| r.mcnemar_mid)
        .number("durkalski", |r| r.durkalski)
        .number("net_exact", |r| r.net_exact)
        .number("aa_rate", |r| r.aa_rate)
        .number("excess", |r| r.excess)
        .limits("excess", |r| r.excess_interval)
        .test("excess", |r| r.excess_test.as_ref())
        .done()
}

fn uncertainty(rows: &[UncertaintyRow]) -> Sheet {
    Rows::of("uncertainty", rows)
        .cell(|r| &r.cell)
        .name("setting", |r| &r.setting)
        .name("against", |r| &r.against)
        .flag("aa", |r| r.aa)
        .name("predictor", |r| &r.predictor)
        .number("risk_ratio", |r| r.risk_ratio)
        .limits("risk_ratio", |r| r.risk_ratio_interval)
        .number("auroc", |r| r.auroc)
        .limits("auroc", |r| r.auroc_interval)
        .number("slope", |r| r.slope)
        .limits("slope", |r| r.slope_interval)
        .count("items", |r| Some(r.items))
        .count("clusters", |r| Some(r.clusters))
        .done()
}

fn distributions(rows: &[DistributionRow]) -> Sheet {
    Rows::of("distributions", rows)
        .cell(|r| &r.cell)
        .name("setting", |r| &r.setting)
        .name("against", |r| &r.against)
        .flag("aa", |r| r.aa)
        .name("quantity", |r| &r.quantity)
        .count("items", |r| Some(r.items))
        .number("mean", |r| Some(r.mean))
        .number("sd", |r| r.sd)
        .number("divergence", |r| r.divergence.as_ref().map(|m| m.mean))
        .number("divergence_excess", |r| r.divergence.as_ref().and_then(|m| m.excess))
        .number("total_variation", |r| r.total_variation.as_ref().map(|m| m.mean))
        .number("total_variation_excess", |r| r.total_variation.as_ref().and_then(|m| m.excess))
        .done()
}

fn outcomes(rows: &[OutcomeRow]) -> Sheet {
    Rows::of("outcomes", rows)
        .cell(|r| &r.cell)
        .name("setting", |r| &r.setting)
        .name("against", |r| &r.against)
        .flag("aa", |r| r.aa)
        .name("outcome", |r| &r.outcome)
        .count("items", |r| Some(r.items))
        .count("clusters", |r| Some(r.clusters))
        .number("baseline_rate", |r| Some(r.baseline_rate))
        .limits("baseline", |r| r.baseline_interval)
        .number("setting_rate", |r| Some(r.setting_rate))
        .limits("setting", |r| r.setting_interval)
        .number("delta", |r| Some(r.delta))
        .limits("", |r| r.interval)
        .test("", |r| r.test.as_ref())
        .text("note", |r| r.note.clone())
        .done()
}

fn omnibus(rows: &[OmnibusRow]) -> Sheet {
    Rows::of("omnibus", rows)
        .cell(|r| &r.cell)
        .name("kind", |r| &r.kind)
        .text("settings", |r| Some(r.settings.join(" ")))
        .number("statistic", |r| r.statistic)
        .number("df", |r| r.df)
        .number("p_asymptotic", |r| r.p_asymptotic)
        .test("", |r| r.test.as_ref())
        .count("items", |r| Some(r.items))
        .count("clusters", |r| Some(r.clusters))
        .text("note", |r| r.note.clone())
        .done()
}

fn trends(rows: &[TrendRow]) -> Sheet {
    Rows::of("trends", rows)
        .cell(|r| &r.cell)
        .name("scheme_family", |r| &r.scheme_family)
        .name("scores", |r| &r.scores)
        .text("settings", |r| Some(r.settings.join(" ")))
        .number("slope", |r| r.slope)
        .number("se", |r| r.se)
        .limits("", |r| r.interval)
        .test("", |r| r.test.as_ref())
        .number("page_l", |r| r.page.map(|p| p.l))
        .number("page_p", |r| r.page.map(|p| p.p))
        .count("items", |r| Some(r.items))
        .count("clusters", |r| Some(r.clusters))
        .text("note", |r| r.note.clone())
        .done()
}

fn sensitivity(rows: &[SensitivityRow]) -> Sheet {
    Rows::of("sensitivity", rows)
        .cell(|r| &r.cell)
        .name("setting", |r| &r.setting)
        .name("against", |r| &r.against)
        .name("choice", |r| &r.choice)
        .name("title", |r| &r.title)
        .number("delta", |r| r.delta)
        .number("se", |r| r.se)
        .limits("", |r| r.interval)
        .number("p", |r| r.p)
        .count("clusters", |r| Some(r.clusters))
        .count("items", |r| Some(r.items))
        .number("smallest", |r| r.extremes.map(|e| e[0]))
        .number("largest", |r| r.extremes.map(|e| e[1]))
        .number("limit_spread", |r| r.limit_spread)
        .done()
}

fn power(rows: &[PowerRow]) -> Sheet {
    Rows::of("power", rows)
        .cell(|r| &r.cell)
        .name("setting", |r| &r.setting)
        .name("against", |r| &r.against)
        .count("items", |r| Some(r.items))
        .count("clusters", |r| Some(r.clusters))
        .number("se", |r| Some(r.se))
        .number("deff", |r| r.deff)
        .number("discordance", |r| r.discordance)
        .number("power", |r| Some(r.power))
        .number("mde", |r| Some(r.mde))
        .number("margin", |r| r.margin)
        .count("items_for_margin", |r| r.items_for_margin)
        .count("items_for_equivalence", |r| r.items_for_equivalence)
        .done()
}

fn missing_answers(rows: &[MissingPart<'_>]) -> Sheet {
    Rows::of("missing", rows)
        .cell(|r| &r.0.cell)
        .name("setting", |r| &r.0.setting)
        .name("against", |r| &r.0.against)
        .count("one_side", |r| Some(r.0.one_side))
        .count("neither", |r| Some(r.0.neither))
        .name("treatment", |r| &r.1.treatment)
        .number("delta", |r| r.1.delta)
        .limits("", |r| r.1.interval)
        .text("verdict", |r| r.1.verdict.map(|v| verdict_word(v).to_owned()))
        .count("items", |r| Some(r.1.items))
        .done()
}

fn paper(rows: &[PaperRow]) -> Sheet {
    Rows::of("paper", rows)
        .name("model", |r| &r.model)
        .name("benchmark", |r| &r.benchmark)
        .name("setting", |r| &r.setting)
        .name("metric", |r| &r.metric)
        .name("subgroup", |r| &r.subgroup)
        .number("value", |r| r.value)
        .number("change", |r| r.change)
        .number("p", |r| r.test.as_ref().map(|t| t.p))
        .text("test", |r| r.test.as_ref().map(|t| t.method.clone()))
        .count("items", |r| Some(r.items))
        .text("note", |r| r.note.clone())
        .done()
}
