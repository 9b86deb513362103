//! What users see of settings: the table of schemes, the audit file, the report.

use super::made;
use super::*;
use crate::auditing::{Audit, SMALL_PLAN, quantbias, stderr, stdout};

#[test]
fn schemes_shows_the_silent_fallbacks_that_the_engine_makes() {
    // 96 = 3 · 32; 896 = 3.5 · 256 = 28 · 32 and 1280 = 5 · 256.
    for (hidden, intermediate, expected) in [(96, 384, vec![("Q4_1", 8)]), (896, 1280, vec![("Q4_1", 7), ("Q4K", 1)])] {
        let temp = tempfile::tempdir().unwrap();
        let (config, tensors) = made::random_llama(hidden, intermediate);
        let directory = made::directory(&temp.path().join("model"), &config, &tensors);
        let found = realised(&folder(&directory, QuantScheme::Q4K)).unwrap();
        assert_eq!(formats(&found), expected);
        // What the engine itself holds of it.
        write_uqff(&directory, mistralrs::IsqType::Q4K, &temp.path().join("q4k.uqff"));
        let own = Box::new(ModelSource::Directory(directory.clone()));
        let source = ModelSource::Uqff { file: temp.path().join("q4k-0.uqff"), model: own };
        assert_eq!(formats(&realised(&setting(source, QuantScheme::Given)).unwrap()), expected);
        let text = stdout(&quantbias(&["schemes", "--model", directory.to_str().unwrap(), "--width", "120"]));
        let line = text.lines().find(|l| l.starts_with("q4k ")).unwrap();
        let mixture: Vec<String> = expected.iter().map(|(format, n)| format!("{n} {format}")).collect();
        assert!(line.ends_with(&mixture.join(" + ")), "{line}");
        assert!(text.contains("so Q4K became Q4_1") && text.contains("so Q2K became Q4_0"), "{text}");
        assert_eq!(text.contains("refused: lm_head.weight"), hidden == 96, "{text}");
        println!("{text}");
    }
}

#[test]
fn bits_of_a_model_whose_head_is_a_copy_of_its_embeddings_are_explained() {
    let temp = tempfile::tempdir().unwrap();
    let (mut config, mut tensors) = made::random_llama(256, 256);
    let table = |folder: &Path| stdout(&quantbias(&["schemes", "--model", folder.to_str().unwrap(), "--width", "100"]));
    let apart = table(&made::directory(&temp.path().join("apart"), &config, &tensors));
    config["tie_word_embeddings"] = json!(true);
    tensors.remove("lm_head.weight");
    let tied = table(&made::directory(&temp.path().join("tied"), &config, &tensors));
    let model = |text: &str, scheme: &str| -> f64 {
        let line = text.lines().find(|l| l.split_whitespace().next() == Some(scheme)).unwrap();
        let numbers = line.split("  ").filter_map(|c| c.trim().parse().ok()).collect::<Vec<f64>>();
        numbers[1]
    };
    // Embeddings of 4096 × 256 in 32 bits, and everything else, the copy included, in 9.
    let (embeddings, layer, norms) = (4096.0 * 256.0, 256.0 * 256.0 * 6.0, 3.0 * 256.0);
    let bits = 32.0 * (embeddings + norms) + 9.0 * (embeddings + layer);
    assert!((model(&tied, "q8_1") - bits / (embeddings + layer + norms)).abs() < 6e-4, "{tied}");
    assert!(model(&tied, "q8_1") > 32.0 && model(&tied, "none") == 32.0, "no scheme, no copy\n{tied}");
    assert!(tied.contains("head shares the weights of the embeddings"), "{tied}");
    assert!(model(&apart, "q8_1") < 32.0 && !apart.contains("shares the weights"), "{apart}");
}

#[test]
fn the_table_of_schemes_fits_80_and_120_columns_and_is_json_if_asked() {
    let base = made::demo("base");
    for (width, args) in [(80, vec![]), (120, vec![]), (80, vec!["--model"]), (120, vec!["--model"])] {
        let mut all = vec!["schemes".to_owned(), "--width".to_owned(), width.to_string()];
        if !args.is_empty() {
            all.extend(["--model".to_owned(), base.display().to_string()]);
        }
        let text = stdout(&quantbias(&all.iter().map(String::as_str).collect::<Vec<_>>()));
        println!("{text}");
        assert!(text.lines().all(|l| l.chars().count() <= width), "{width}: {text}");
        assert!(!text.lines().any(|l| l.starts_with("q4k") && l.contains('…')), "{width}: {text}");
        for scheme in QuantScheme::ALL {
            assert!(text.lines().any(|l| l.split_whitespace().next() == Some(scheme.name())), "{scheme:?}");
        }
    }
    let text = stdout(&quantbias(&["schemes", "--model", base.to_str().unwrap(), "--format", "json"]));
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["schemes"].as_array().unwrap().len(), QuantScheme::ALL.len());
    let q4k = found["schemes"].as_array().unwrap().iter().find(|s| s["scheme"] == "q4k").unwrap();
    assert_eq!(q4k["realised"]["bits_per_weight"], 4.5);
    assert_eq!(q4k["activations"]["cuda"], "int8 dynamic, blocks of 32");
    assert!(found["files"].as_array().unwrap().iter().any(|k| k["kind"] == "GPTQ checkpoint" && k["cpu"] == false));
}

/// What the audit file's checks say about `[[setting]]`s, with a model that is here and one that is served.
fn parsed(settings: &str) -> Result<Vec<(String, String)>, String> {
    let text = format!(
        "name = \"x\"\n[[model]]\nid = \"m\"\npath = \"m\"\n[[model]]\nid = \"s\"\n[model.endpoint]\n\
         url = \"http://h/v1\"\nmodel = \"s\"\nweights = \"bf16\"\nactivations = \"none\"\n[settings]\naa = false\n\
         [[benchmark]]\ntype = \"crows_pairs\"\npath = \"p\"\n{settings}"
    );
    let checked = quantbias::spec::parse(Path::new("audit.toml"), &text).map_err(|e| format!("{e:?}"))?;
    let own = checked.settings.iter().filter(|s| s.id.contains("@own"));
    Ok(own.map(|s| (format!("{:?}", s.source), format!("{:?} {:?} {:?}", s.scheme, s.guide, s.dtype))).collect())
}

#[test]
fn a_setting_of_its_own_comes_from_one_place_and_takes_what_goes_with_it() {
    let own = |keys: &str| parsed(&format!("[[setting]]\nname = \"own\"\nmodel = \"m\"\n{keys}\n"));
    for (keys, source, rest) in [
        ("gguf = \"a.gguf\"", "Gguf", "Given None F32"),
        ("uqff = \"a-0.uqff\"\ndtype = \"f16\"", "Uqff", "Given None F16"),
        ("path = \"packed\"", "Checkpoint", "Given None F32"),
        ("hub = \"a/b\"\nrevision = \"c\"", "Checkpoint { checkpoint: Hub", "Given None F32"),
        ("adapter = \"lora\"", "Adapted", "None None F32"),
        ("adapter = \"lora\"\nscheme = \"q4k\"\ntopology = \"t.yml\"", "Adapted", "Q4K Some(Topology(\"t.yml\")) F32"),
        ("topology = \"t.yml\"", "Directory", "None Some(Topology(\"t.yml\")) F32"),
        ("scheme = \"q4k\"\nimatrix = \"i\"", "Directory", "Q4K Some(Imatrix(\"i\")) F32"),
        ("dtype = \"f16\"", "Directory", "None None F16"),
        ("scheme = \"hqq4\"\ndtype = \"f16\"", "Directory", "Hqq4 None F16"),
    ] {
        let found = own(keys).unwrap();
        assert!(found[0].0.starts_with(source), "{keys}: {found:?}");
        assert_eq!(found[0].1, rest, "{keys}");
    }
    for (keys, words) in [
        ("gguf = \"a\"\nuqff = \"b\"", "exclude each other"),
        ("path = \"a\"\nadapter = \"b\"", "exclude each other"),
        ("imatrix = \"a\"\ntopology = \"b\"\nscheme = \"q4k\"", "exclude each other"),
        ("imatrix = \"a\"", "say which `scheme`"),
        ("gguf = \"a\"\nscheme = \"q4k\"", "is quantized already takes no `scheme`"),
        ("path = \"a\"\ntopology = \"t\"", "is quantized already takes no `scheme`"),
        ("scheme = \"q4k\"", "a scheme alone belongs into [settings]"),
        ("dtype = \"f8\"", "unknown variant"),
    ] {
        assert!(own(keys).unwrap_err().contains(words), "{keys}: {:?}", own(keys));
    }
    let served = |keys: &str| parsed(&format!("[[setting]]\nname = \"own\"\nmodel = \"s\"\n{keys}\n")).unwrap_err();
    assert!(served("gguf = \"a\"").contains("the model is served"));
    let endpoint = "url = \"http://h/v1\"\nmodel = \"s\"\nweights = \"AWQ\"\nactivations = \"none\"";
    let with_scheme = format!("scheme = \"q4k\"\n[setting.endpoint]\n{endpoint}");
    assert!(served(&with_scheme).contains("takes no `scheme`"), "{}", served(&with_scheme));
}

/// A setting of findings by its name.
fn info<'a>(found: &'a Value, name: &str) -> &'a Value {
    let id = format!("base@{name}");
    found["audit"]["settings"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["id"] == id.as_str())
        .unwrap_or_else(|| panic!("{id}"))
}

#[test]
fn an_audit_over_every_kind_of_setting_says_what_each_was() {
    let temp = tempfile::tempdir().unwrap();
    let at = |name: &str| temp.path().join(name).display().to_string();
    let afq = json!({ "bits": 4, "group_size": 64 });
    let (packed, _) = made::pair(&temp.path().join("afq"), "base", &afq, &super::packed::matrices, &made::afq(4, 64));
    write_uqff(&made::demo("base"), mistralrs::IsqType::Q2K, &temp.path().join("some.uqff"));
    std::fs::write(temp.path().join("topology.yml"), "2-4:\n  isq: Q2K\n").unwrap();
    let (adapter, _) = super::guided::adapter(temp.path(), |_, _| {});
    std::fs::write(temp.path().join("text.txt"), "text").unwrap();
    let own = |name: &str, keys: &str| format!("[[setting]]\nname = \"{name}\"\n{keys}\n\n");
    let settings = [
        own("packed", &format!("path = {:?}", packed.display().to_string())),
        own("file", &format!("uqff = {:?}", at("some-0.uqff"))),
        own("layers", &format!("scheme = \"q4k\"\ntopology = {:?}", at("topology.yml"))),
        own("tuned", &format!("adapter = {:?}\nscheme = \"hqq8\"", adapter.display().to_string())),
        own("half", "dtype = \"f16\""),
        own("guided", &format!("scheme = \"q4k\"\ncalibration = {:?}", at("text.txt"))),
    ];
    let contrast = |a: &str, b: &str| format!("[[plan.contrast]]\nscheme = \"{a}\"\nagainst = \"{b}\"\n\n");
    let rest = format!(
        "{}{SMALL_PLAN}\n{}{}{}",
        settings.concat(),
        contrast("hqq4", "q4k"),
        contrast("f8q8", "q8_0"),
        contrast("packed", "file")
    );
    let audit = Audit::new("\"q4k\", \"hqq4\", \"q8_0\", \"f8q8\"", 6, &rest);
    let output = audit.run("audit", &["--workers", "2"]);
    assert!([0, 10, 11].contains(&output.status.code().unwrap()), "{}", stderr(&output));
    let findings = audit.only("findings").join("findings.json");
    let found: Value = serde_json::from_slice(&std::fs::read(findings).unwrap()).unwrap();
    for (name, label, bits, quantizes) in [
        ("packed", "packed→AFQ4 g64", 5.0, false),
        ("file", "file→Q2K", 2.625, true),
        ("tuned", "tuned→HQQ8", 9.0, false),
        ("half", "half→F16", 16.0, false),
        ("q4k", "Q4K", 4.5, true),
        ("f8q8", "F8Q8", 8.25, false),
    ] {
        let setting = info(&found, name);
        assert_eq!(setting["label"], label);
        assert_eq!(setting["bits_per_weight"], bits, "{name}");
        assert_eq!(setting["activations_quantized"], quantizes, "{name}");
    }
    let layers = info(&found, "layers");
    assert_eq!(layers["label"], "layers→Q4K+Q2K");
    assert!((2.7..4.5).contains(&layers["bits_per_weight"].as_f64().unwrap()), "{layers}");
    let refused = found["audit"]["refused"].as_array().unwrap();
    assert!(
        refused.iter().any(|r| r["id"] == "base@guided" && r["reason"].as_str().unwrap().contains("calibration text"))
    );
    let report = std::fs::read_to_string(audit.only("reports").join("report.md")).unwrap();
    for words in [
        "holds quantization of weights alone (5.00 bits per weight) against quantization of weights and activations",
        "holds quantization of weights alone (8.25 bits per weight) against quantization of weights and activations",
    ] {
        assert!(report.contains(words), "{words} is not in the report");
    }
    for words in ["HQQ4 − Q4K", "F8Q8 − Q8\\_0", "packed→AFQ4 g64 − file→Q2K"] {
        let found = report.contains(words) || report.contains(&words.replace("\\_", "_"));
        assert!(found, "{words} is not in the report");
    }
}
