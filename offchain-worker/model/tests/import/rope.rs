//! Scalings of the rotary embedding: both formats give the same table, and others are refused by name.

use crate::support::{
    self,
    gguf::{self, Value},
    huggingface, Model, MODEL_TYPES,
};
use noema_checkpoint::H256;
use noema_model::import::{import, ImportError, ImportOptions};
use serde_json::{json, Value as Json};

/// Context length and weights root of the small model, from a folder with `fields` in `config.json`.
fn folder(fields: &Json, context: Option<u32>) -> Result<(u32, H256), ImportError> {
    folder_of(&Model::tiny(), fields, context)
}

fn folder_of(
    model: &Model,
    fields: &Json,
    context: Option<u32>,
) -> Result<(u32, H256), ImportError> {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("tiny");
    huggingface::write(model, gguf::F32, 1, &folder);
    let mut config = huggingface::config(model);
    let fields = fields.as_object().unwrap().clone();
    config.as_object_mut().unwrap().extend(fields);
    huggingface::json_file(&folder, "config.json", &config);
    let options = ImportOptions {
        context,
        ..support::options()
    };
    let checkpoint = import(&folder, directory.path(), &options, &())?;
    let root = checkpoint.manifest().weights_root;
    Ok((checkpoint.architecture().context_length, root))
}

/// The same, from a GGUF file with these values about the rotation and these lists of factors.
fn file(
    values: &[(&str, Value)],
    lists: &[(&str, &[f32])],
    context: Option<u32>,
) -> Result<(u32, H256), ImportError> {
    file_of(&Model::tiny(), values, lists, context)
}

fn file_of(
    model: &Model,
    values: &[(&str, Value)],
    lists: &[(&str, &[f32])],
    context: Option<u32>,
) -> Result<(u32, H256), ImportError> {
    let mut file = gguf::File::new(model);
    let architecture = gguf::architecture(model);
    for (key, value) in values {
        file = file.set(&format!("{architecture}.rope.{key}"), value.clone());
    }
    for (name, factors) in lists {
        let data = gguf::Data {
            kind: gguf::F32,
            bytes: gguf::floats(gguf::F32, factors),
        };
        file.tensors
            .push(((*name).into(), vec![factors.len()], data));
    }
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("model.gguf");
    std::fs::write(&source, file.bytes()).unwrap();
    let options = ImportOptions {
        context,
        ..support::options()
    };
    let checkpoint = import(&source, directory.path(), &options, &())?;
    let root = checkpoint.manifest().weights_root;
    Ok((checkpoint.architecture().context_length, root))
}

#[track_caller]
fn assert_refused(outcome: Result<(u32, H256), ImportError>, words: &[&str]) {
    let message = outcome.unwrap_err().to_string();
    for word in words {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
    assert!(message.ends_with('.'), "{message}");
}

#[test]
fn yarn_has_one_table_in_both_formats() {
    let scaling = json!({
        "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4,
        "beta_fast": 0.25, "beta_slow": 0.0625
    });
    let ours = folder(&json!({ "rope_scaling": scaling }), None).unwrap();
    let values = [
        ("scaling.type", Value::from("yarn")),
        ("scaling.factor", Value::F32(4.0)),
        ("scaling.original_context_length", Value::U32(4)),
        ("scaling.yarn_beta_fast", Value::F32(0.25)),
        ("scaling.yarn_beta_slow", Value::F32(0.0625)),
    ];
    assert_eq!(file(&values, &[], None).unwrap(), ours);
    // Without the betas, a file has the usual ones.
    let plain = folder(&json!({}), None).unwrap();
    let usual = file(&values[..3], &[], None).unwrap();
    assert_ne!(ours, usual);
    assert_ne!(ours, plain);
    assert_ne!(usual, plain);
}

#[test]
fn longrope_has_one_table_in_both_formats_for_each_context() {
    let factors =
        |step: f32| -> Vec<f32> { (0u8..16).map(|i| 1.0 + step * f32::from(i)).collect() };
    let (short, long) = (factors(0.125), factors(0.5));
    let scaling = json!({
        "rope_type": "longrope", "short_factor": short, "long_factor": long,
        "original_max_position_embeddings": 8
    });
    let fields = json!({ "rope_scaling": scaling });
    let attention_factor = (
        "scaling.attn_factor",
        Value::F32((4f64 / 3.0).sqrt() as f32),
    );
    let original = ("scaling.original_context_length", Value::U32(8));
    let kind = ("scaling.type", Value::from("longrope"));
    let lists = [
        ("rope_factors_short.weight", &short[..]),
        ("rope_factors_long.weight", &long[..]),
    ];
    let mut roots = Vec::new();
    for (context, positions) in [(None, 8), (Some(8), 8), (Some(16), 16)] {
        let ours = folder(&fields, context).unwrap();
        assert_eq!(ours.0, positions);
        // Phi-3's files state no type.
        let values = [attention_factor.clone(), original.clone(), kind.clone()];
        assert_eq!(file(&values, &lists, context).unwrap(), ours);
        assert_eq!(file(&values[..2], &lists, context).unwrap(), ours);
        roots.push(ours.1);
    }
    assert_eq!(roots[0], roots[1]);
    assert_ne!(roots[1], roots[2]);

    let outcome = file(&[kind], &lists[..1], None);
    assert_refused(outcome, &["the tensor rope_factors_long.weight"]);
    let outcome = file(&[("scaling.type", Value::from("none"))], &lists, None);
    assert_refused(
        outcome,
        &["\"none\"", "beside the tensor rope_factors_long"],
    );
    let zeros = [0f32; 16];
    let lists = [lists[0], ("rope_factors_long.weight", &zeros[..])];
    let outcome = file(&[original], &lists, None);
    assert_refused(outcome, &["Tensor rope_factors_long", "a positive number"]);
}

#[test]
fn every_type_of_model_may_be_scaled() {
    let list: Vec<f32> = (0u8..16).map(|i| 1.0 + 0.125 * f32::from(i)).collect();
    let lists = [
        ("rope_factors_short.weight", &list[..]),
        ("rope_factors_long.weight", &list[..]),
    ];
    let original = ("scaling.original_context_length", Value::U32(4));
    let factor = ("scaling.factor", Value::F32(4.0));
    let of = |kind: &str| ("scaling.type", Value::from(kind));
    let attention_factor = ("scaling.attn_factor", Value::F32(2f64.sqrt() as f32));
    for model_type in MODEL_TYPES {
        let model = Model::of(model_type);
        let mut roots = vec![folder_of(&model, &json!({}), Some(16)).unwrap()];
        for (scaling, values, lists) in [
            (
                json!({ "rope_type": "linear", "factor": 4.0 }),
                vec![of("linear"), factor.clone()],
                &[][..],
            ),
            (
                json!({
                    "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4
                }),
                vec![of("yarn"), factor.clone(), original.clone()],
                &[],
            ),
            (
                json!({
                    "rope_type": "longrope", "short_factor": list, "long_factor": list,
                    "original_max_position_embeddings": 4
                }),
                vec![of("longrope"), original.clone(), attention_factor.clone()],
                &lists[..],
            ),
        ] {
            let fields = json!({ "rope_scaling": scaling });
            let root = folder_of(&model, &fields, Some(16)).unwrap();
            let file = file_of(&model, &values, lists, Some(16)).unwrap();
            assert_eq!(root, file, "{model_type} {scaling}");
            assert!(!roots.contains(&root), "{model_type} {scaling}");
            roots.push(root);
        }
    }
}

#[test]
fn the_base_of_smollm3_is_its_own() {
    let model = Model::of("smollm3");
    let root = |base: Json| {
        folder_of(&model, &json!({ "rope_theta": base }), None)
            .unwrap()
            .1
    };
    assert_eq!(root(Json::Null), root(json!(2_000_000.0)));
    assert_ne!(root(Json::Null), root(json!(10_000.0)));
}

#[test]
fn a_linear_factor_and_factors_of_a_gguf_file_multiply() {
    let list = |factor: f32| [factor; 16];
    let linear = [("scaling.factor", Value::F32(2.0))];
    let both = file(&linear, &[("rope_freqs.weight", &list(2.0)[..])], None).unwrap();
    let one = file(&[], &[("rope_freqs.weight", &list(4.0)[..])], None).unwrap();
    assert_eq!(both, one);
    let scaling = json!({ "rope_type": "linear", "factor": 4.0 });
    let folder = folder(&json!({ "rope_scaling": scaling }), None).unwrap();
    assert_eq!(both, folder);
}

#[test]
fn a_scaling_that_is_not_defined_is_refused() {
    let outcome = file(&[("scaling.type", Value::from("ntk"))], &[], None);
    assert_refused(outcome, &["the rotary scaling \"ntk\"", "yarn, longrope"]);
    let scaling = json!({ "rope_type": "axial", "factor": 2.0 });
    let outcome = folder(&json!({ "rope_scaling": scaling }), None);
    assert_refused(
        outcome,
        &["the rotary scaling \"axial\"", "yarn and longrope"],
    );
    for (key, value) in [
        ("scaling.yarn_log_multiplier", 0.1),
        ("scaling.yarn_attn_factor", 1.2),
        ("scaling.yarn_ext_factor", 0.5),
    ] {
        let values = [
            ("scaling.type", Value::from("yarn")),
            (key, Value::F32(value)),
        ];
        let outcome = file(&values, &[], None);
        assert_refused(outcome, &[key, "import the model's Hugging Face folder"]);
    }
}

#[test]
fn numbers_of_a_scaling_that_make_no_table_are_refused() {
    let outcome = file(&[("scaling.attn_factor", Value::F32(2.5))], &[], None);
    assert_refused(outcome, &["attn_factor", "2.5, not between 0 and 2"]);
    for key in ["freq_base", "scaling.factor", "scaling.attn_factor"] {
        for value in [0.0, -1.0, f32::NAN] {
            let outcome = file(&[(key, Value::F32(value))], &[], None);
            assert_refused(outcome, &[key, "not a positive number"]);
        }
    }
    let yarn = |key: &str, value: f64| {
        let mut scaling = json!({ "rope_type": "yarn", "factor": 2.0 });
        scaling[key] = value.into();
        folder(&json!({ "rope_scaling": scaling }), None)
    };
    let outcome = yarn("attention_factor", 2.5);
    assert_refused(
        outcome,
        &["attention_factor", "2.5 and not between 0 and 2"],
    );
    assert_refused(yarn("beta_fast", 0.5), &["beta_fast", "below beta_slow, 1"]);
    assert_refused(yarn("factor", -2.0), &["factor", "not a positive number"]);
    let scaling = json!({ "rope_type": "longrope", "factor": 2.0, "short_factor": [1.0] });
    let outcome = folder(&json!({ "rope_scaling": scaling }), None);
    assert_refused(outcome, &["short_factor", "a list of 16 positive numbers"]);
    let scaling = json!({ "rope_type": "longrope", "factor": [2.0] });
    let outcome = folder(&json!({ "rope_scaling": scaling }), None);
    assert_refused(outcome, &["the settings of its rotation", "correct them"]);
}

#[test]
fn rotations_that_differ_between_layers_or_leave_a_part_of_a_head_are_refused() {
    let kinds = json!({
        "full_attention": { "rope_type": "linear", "factor": 8.0 },
        "sliding_attention": { "rope_type": "default" }
    });
    let outcome = folder(&json!({ "rope_parameters": kinds }), None);
    assert_refused(outcome, &["in layers of different kinds"]);
    let alike = json!({
        "full_attention": { "rope_type": "default" }, "sliding_attention": {}
    });
    let alike = folder(&json!({ "rope_parameters": alike }), None).unwrap();
    assert_eq!(alike, folder(&json!({}), None).unwrap());
    let kinds = json!({ "full_attention": {}, "rope_type": "linear" });
    let outcome = folder(&json!({ "rope_parameters": kinds }), None);
    assert_refused(outcome, &["the setting rope_type", "write it into each"]);
    let parameters = json!({ "rope_type": "default", "partial_rotary_factor": 0.5 });
    let outcome = folder(&json!({ "rope_parameters": parameters }), None);
    assert_refused(outcome, &["only a part of each head"]);
}
