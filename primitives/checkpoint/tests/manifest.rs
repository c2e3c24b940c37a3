//! The manifest: its id, its JSON form, and the manifests that are refused.

use codec::{Decode, Encode};
use noema_checkpoint::{
    blake2_256, layout, Architecture, Frame, Manifest, ManifestError, Source, SourceFormat,
    Variant, FORMAT, H256, MAX_NAME_BYTES, TEXT_LAYER_VERSION,
};
use noema_numerics::NUMERICS_VERSION;
use noema_protocol::ModelLimits;

fn manifest() -> Manifest {
    let architecture = Architecture {
        layers: 2,
        hidden: 64,
        heads: 2,
        kv_heads: 1,
        head_dim: 32,
        feed_forward: 96,
        vocabulary: 300,
        context_length: 128,
        norm_epsilon_q32: 42_950,
        tied_head: true,
        variant: Variant::LLAMA,
    };
    Manifest {
        format: FORMAT,
        numerics: NUMERICS_VERSION,
        text_layer: TEXT_LAYER_VERSION,
        name: "tiny".into(),
        licence: "apache-2.0".into(),
        architecture,
        exponents: vec![-20; layout::tensor_count(&architecture).unwrap()],
        weights_root: H256::repeat_byte(1),
        weights_bytes: layout::weights_bytes(&architecture).unwrap(),
        tokenizer_hash: H256::repeat_byte(2),
        chat_template_hash: blake2_256(b"[{{ messages[0].content }}]"),
        frame: Some(Frame {
            before: "[".into(),
            after: "]".into(),
            trims: false,
        }),
        tokens_per_byte: 1,
        template_tokens: 20,
        bos: Some(1),
        eos: Some(2),
        stops: vec![0, 2],
        source: Source {
            format: SourceFormat::Gguf,
            hash: H256::repeat_byte(3),
        },
    }
}

#[test]
fn the_id_is_frozen() {
    assert_eq!(
        manifest().id().to_string(),
        "0x0d704af815ce060def932684413f7c142265d9c0807a8ab2553b9f403c786a7c"
    );
}

#[test]
fn every_field_is_part_of_the_id() {
    let changes: [fn(&mut Manifest); 22] = [
        |m| m.format += 1,
        |m| m.numerics += 1,
        |m| m.text_layer += 1,
        |m| m.name.push('2'),
        |m| m.licence.clear(),
        |m| m.architecture.norm_epsilon_q32 += 1,
        |m| m.architecture.variant.projection_biases = true,
        |m| m.exponents[3] = -21,
        |m| m.weights_root.0[31] ^= 1,
        |m| m.weights_bytes += 1,
        |m| m.tokenizer_hash.0[0] ^= 1,
        |m| m.chat_template_hash.0[0] ^= 1,
        |m| m.frame = None,
        |m| m.frame.as_mut().unwrap().before.push(' '),
        |m| m.frame.as_mut().unwrap().after.push(' '),
        |m| m.frame.as_mut().unwrap().trims = true,
        |m| m.tokens_per_byte += 1,
        |m| m.template_tokens += 1,
        |m| m.bos = None,
        |m| m.eos = Some(0),
        |m| m.stops = vec![2],
        |m| m.source.format = SourceFormat::HuggingFace,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut changed = manifest();
        change(&mut changed);
        assert_ne!(changed.id(), manifest().id(), "change {index}");
    }
}

#[test]
fn both_forms_can_be_read_back() {
    let manifest = manifest();
    let json = serde_json::to_string_pretty(&manifest).unwrap();
    assert_eq!(serde_json::from_str::<Manifest>(&json).unwrap(), manifest);
    let bytes = manifest.encode();
    assert_eq!(Manifest::decode(&mut &bytes[..]).unwrap(), manifest);
}

#[test]
fn an_unknown_field_is_refused() {
    let mut json = serde_json::to_value(manifest()).unwrap();
    json["shards"] = 4.into();
    assert!(serde_json::from_value::<Manifest>(json).is_err());
}

#[test]
fn a_sound_manifest_passes() {
    assert_eq!(manifest().check(), Ok(()));
}

#[test]
fn another_version_of_the_text_layer_is_refused_with_the_way_out() {
    let message = ManifestError::TextLayer(7).to_string();
    assert!(
        message.contains("a release that has version 7"),
        "{message}"
    );
    assert!(message.contains("import the model again"), "{message}");
}

#[test]
fn a_frame_is_around_the_prompt_and_trims_it_where_it_says_so() {
    let mut frame = manifest().frame.unwrap();
    assert_eq!(frame.around(" a\n"), "[ a\n]");
    frame.trims = true;
    assert_eq!(frame.around("\u{3000} a b \n"), "[a b]");
    assert_eq!(frame.around("  "), "[]");
}

#[test]
fn the_limits_are_those_of_a_request() {
    let limits = ModelLimits {
        context_length: 128,
        vocabulary: 300,
        tokens_per_byte: 1,
        template_tokens: 20,
    };
    assert_eq!(manifest().limits(), limits);
    assert!(limits.fits(100, 8) && !limits.fits(100, 9));
}

#[test]
fn what_does_not_agree_is_refused() {
    let refused = |change: fn(&mut Manifest)| {
        let mut manifest = manifest();
        change(&mut manifest);
        manifest.check().unwrap_err()
    };
    assert_eq!(refused(|m| m.format = 9), ManifestError::Format(9));
    assert_eq!(refused(|m| m.numerics = 9), ManifestError::Numerics(9));
    assert_eq!(
        refused(|m| m.name = "n".repeat(MAX_NAME_BYTES + 1)),
        ManifestError::NameTooLong
    );
    assert_eq!(refused(|m| m.text_layer = 9), ManifestError::TextLayer(9));
    assert_eq!(
        refused(|m| m.frame.as_mut().unwrap().after = "x".repeat(Frame::MAX_BYTES)),
        ManifestError::FrameTooLong(Frame::MAX_BYTES + 1)
    );
    assert!(matches!(
        refused(|m| m.exponents = vec![0; Manifest::MAX_BYTES]),
        ManifestError::TooLong(bytes) if bytes > Manifest::MAX_BYTES
    ));
    assert!(matches!(
        refused(|m| m.architecture.hidden = 65),
        ManifestError::Architecture(_)
    ));
    assert!(matches!(
        refused(|m| m.exponents.truncate(5)),
        ManifestError::Exponents { found: 5, .. }
    ));
    assert!(matches!(
        refused(|m| m.weights_bytes -= 544),
        ManifestError::WeightsBytes { .. }
    ));
    assert_eq!(
        refused(|m| m.tokens_per_byte = 0),
        ManifestError::NoTokensPerByte
    );
    assert!(matches!(
        refused(|m| m.template_tokens = 127),
        ManifestError::NoRoom { .. }
    ));
    assert!(matches!(
        refused(|m| m.tokens_per_byte = u32::MAX),
        ManifestError::NoRoom { .. }
    ));
    assert_eq!(
        refused(|m| m.stops = (0..33).collect()),
        ManifestError::TooManyStops(33)
    );
    assert_eq!(
        refused(|m| m.stops = vec![2, 2]),
        ManifestError::StopsNotAscending
    );
    assert_eq!(
        refused(|m| m.stops = vec![2, 300]),
        ManifestError::TokenBeyondVocabulary(300)
    );
    assert_eq!(
        refused(|m| m.bos = Some(300)),
        ManifestError::TokenBeyondVocabulary(300)
    );
}
