//! Messages, as a chat template gets them.

use super::fields::Fields;
use crate::fault::ApiFault;
use crate::Json;

/// What the parts with text are called.
const TEXT_PARTS: [&str; 3] = ["text", "input_text", "output_text"];

/// The messages of `/v1/chat/completions` in the form that templates expect: the content is a text, `developer` is
/// `system`, and the arguments of a tool's call are a map.
pub(super) fn messages(list: &[Json]) -> Result<Vec<Json>, ApiFault> {
    if list.is_empty() {
        return Err(ApiFault::parameter(
            "messages",
            "`messages` must have at least one message",
        ));
    }
    let messages = list.iter().enumerate();
    messages
        .map(|(place, message)| one(message, &format!("messages[{place}]")))
        .collect()
}

fn one(message: &Json, path: &str) -> Result<Json, ApiFault> {
    let Some(entries) = message.entries() else {
        return Err(ApiFault::parameter(
            path,
            format!("`{path}` must be a JSON map"),
        ));
    };
    let fields = Fields::of(message)?;
    let role = role(fields.text("role")?, path)?;
    let calls = fields.get("tool_calls").filter(|_| role == "assistant");
    let content = match fields.get("content") {
        Some(content) => text(content, &format!("{path}.content"))?,
        None if role == "assistant" => String::new(),
        None => {
            let path = format!("{path}.content");
            let message = format!("`{path}` is missing");
            return Err(ApiFault::parameter(path, message));
        }
    };
    let mut written = vec![
        ("role".to_owned(), Json::from(role)),
        ("content".to_owned(), Json::from(content)),
    ];
    if let Some(calls) = calls {
        let path = format!("{path}.tool_calls");
        written.push(("tool_calls".to_owned(), tool_calls(calls, &path)?));
    }
    let kept = ["name", "tool_call_id", "reasoning_content"];
    let kept = entries
        .iter()
        .filter(|(name, value)| kept.contains(&name.as_str()) && value.text().is_some());
    written.extend(kept.cloned());
    Ok(Json::Map(written))
}

/// The role that templates know.
pub(super) fn role<'a>(role: Option<&'a str>, path: &str) -> Result<&'a str, ApiFault> {
    match role {
        Some("developer") => Ok("system"),
        Some(role @ ("system" | "user" | "assistant" | "tool")) => Ok(role),
        _ => {
            let path = format!("{path}.role");
            let message = format!("`{path}` must be system, developer, user, assistant or tool");
            Err(ApiFault::parameter(path, message))
        }
    }
}

/// A content: a text, or parts with text.
pub(super) fn text(content: &Json, path: &str) -> Result<String, ApiFault> {
    let wrong = |path: &str| {
        let message = format!("`{path}` must be a string, or parts of type text; others, such as images, are not supported");
        ApiFault::parameter(path, message)
    };
    match content {
        Json::Text(text) => Ok(text.clone()),
        Json::List(parts) => {
            let mut written = String::new();
            for (place, part) in parts.iter().enumerate() {
                let kind = part.get("type").and_then(Json::text).unwrap_or_default();
                let text = match kind {
                    kind if TEXT_PARTS.contains(&kind) => part.get("text"),
                    "refusal" => part.get("refusal"),
                    _ => None,
                };
                let text = text.and_then(Json::text);
                written.push_str(text.ok_or_else(|| wrong(&format!("{path}[{place}]")))?);
            }
            Ok(written)
        }
        _ => Err(wrong(path)),
    }
}

/// The calls of tools in a message of the model. Templates write the arguments as JSON, which they are already in
/// OpenAI's form: they are read, so that they are not written twice.
fn tool_calls(calls: &Json, path: &str) -> Result<Json, ApiFault> {
    let wrong = || {
        let message = format!("`{path}` must be a list of calls of functions");
        ApiFault::parameter(path, message)
    };
    let calls = calls.items().ok_or_else(wrong)?.iter();
    let calls = calls.map(|call| -> Result<Json, ApiFault> {
        let entries = call.entries().ok_or_else(wrong)?.iter();
        let entries = entries.map(|(name, value)| match name.as_str() {
            "function" => (name.clone(), function(value)),
            _ => (name.clone(), value.clone()),
        });
        Ok(Json::Map(entries.collect()))
    });
    Ok(Json::List(calls.collect::<Result<_, _>>()?))
}

fn function(function: &Json) -> Json {
    let Some(entries) = function.entries() else {
        return function.clone();
    };
    let entries = entries.iter().map(|(name, value)| {
        let arguments = match (name.as_str(), value) {
            ("arguments", Json::Text(text)) => serde_json::from_str(text).ok(),
            _ => None,
        };
        (name.clone(), arguments.unwrap_or_else(|| value.clone()))
    });
    Json::Map(entries.collect())
}

/// The tools of a call; `None` where there are none, or the model may call none.
pub(super) fn tools(fields: &Fields<'_>) -> Result<Option<Vec<Json>>, ApiFault> {
    let is_free = |choice: &Json| matches!(choice.text(), Some("auto" | "none"));
    let why = "a model is not forced to call a tool; use `auto` or `none`";
    fields.refuse("tool_choice", is_free, why)?;
    let tools = fields.list("tools")?.filter(|tools| !tools.is_empty());
    let Some(tools) = tools else {
        return Ok(None);
    };
    for (place, tool) in tools.iter().enumerate() {
        if tool.get("type").and_then(Json::text) != Some("function") {
            let path = format!("tools[{place}].type");
            let message = format!("`{path}` must be function");
            return Err(ApiFault::parameter(path, message));
        }
    }
    let is_none = fields.get("tool_choice").and_then(Json::text) == Some("none");
    Ok((!is_none).then(|| tools.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &str) -> Result<String, ApiFault> {
        let list: Json = serde_json::from_str(list).expect("JSON");
        let read = messages(list.items().expect("a list"))?;
        Ok(serde_json::to_string(&read).expect("JSON"))
    }

    fn refused(list: &str) -> String {
        let fault = read(list).expect_err(list).json();
        fault["error"]["param"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    #[test]
    fn parts_become_one_text() {
        let list = r#"[{"role":"developer","content":"a"},
            {"role":"user","content":[{"type":"text","text":"b"},{"type":"text","text":"c"}]}]"#;
        let expected = r#"[{"role":"system","content":"a"},{"role":"user","content":"bc"}]"#;
        assert_eq!(read(list), Ok(expected.to_owned()));
    }

    #[test]
    fn the_arguments_of_a_call_are_a_map() {
        let list = r#"[{"role":"assistant","content":null,"tool_calls":[
            {"id":"1","type":"function","function":{"name":"f","arguments":"{\"z\": 1, \"a\": 2}"}}]},
            {"role":"tool","tool_call_id":"1","content":"3","extra":1}]"#;
        let expected = r#"[{"role":"assistant","content":"","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":{"z":1,"a":2}}}]},{"role":"tool","content":"3","tool_call_id":"1"}]"#;
        assert_eq!(read(list), Ok(expected.to_owned()));
    }

    #[test]
    fn what_is_no_text_is_refused_by_its_place() {
        let image = r#"[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]"#;
        assert_eq!(refused(image), "messages[0].content[0]");
        assert_eq!(
            refused(r#"[{"role":"king","content":"a"}]"#),
            "messages[0].role"
        );
        assert_eq!(refused(r#"[{"role":"user"}]"#), "messages[0].content");
        assert_eq!(refused("[1]"), "messages[0]");
        assert_eq!(refused("[]"), "messages");
    }
}
