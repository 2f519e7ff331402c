// SPDX-License-Identifier: Apache-2.0
//! Decides requests with the cedar-policy crate. Reads one JSON object a line, {"policies": TEXT, "requests": [...]}, and
//! prints a line of [decision, [numbers of the deciding policies], errors] a request. With the argument "time" it prints
//! nanoseconds a decision and the number allowed instead, everything parsed beforehand.
use cedar_policy::{Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicySet, Request};
use serde_json::{json, Value};
use std::io::{self, BufRead, Write};
use std::str::FromStr;
use std::time::Instant;

type Fault = Box<dyn std::error::Error>;

fn uid(kind: &str, id: &str) -> Result<EntityUid, Fault> {
    Ok(EntityUid::from_type_name_and_id(EntityTypeName::from_str(kind)?, EntityId::new(id)))
}

fn request(value: &Value) -> Result<Request, Fault> {
    let member = |name: &str| value[name].as_str().ok_or_else(|| format!("a request without {name}"));
    Ok(Request::new(
        uid("User", member("principal")?)?,
        uid("Action", "get")?,
        uid("Profile", member("resource")?)?,
        Context::from_json_value(value["context"].clone(), None)?,
        None,
    )?)
}

fn decide(judge: &Authorizer, policies: &PolicySet, request: &Request) -> Result<Value, Fault> {
    let answer = judge.is_authorized(request, policies, &Entities::empty());
    let word = if answer.decision() == Decision::Allow { "allow" } else { "deny" };
    let mut numbers = Vec::new();
    for id in answer.diagnostics().reason() {
        numbers.push(id.to_string().trim_start_matches("policy").parse::<u32>()?);
    }
    Ok(json!([word, numbers, answer.diagnostics().errors().count()]))
}

/// The lowest tenth of rounds, each over all requests.
fn time(judge: &Authorizer, policies: &PolicySet, requests: &[Request]) -> f64 {
    let entities = Entities::empty();
    let mut rounds = Vec::new();
    let begin = Instant::now();
    while rounds.len() < 5 || (begin.elapsed().as_millis() < 500 && rounds.len() < 101) {
        let start = Instant::now();
        for request in requests {
            std::hint::black_box(judge.is_authorized(request, policies, &entities).decision());
        }
        rounds.push(start.elapsed().as_nanos() as f64 / requests.len() as f64);
    }
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 10]
}

fn main() -> Result<(), Fault> {
    let is_timed = std::env::args().nth(1).as_deref() == Some("time");
    let judge = Authorizer::new();
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let question: Value = serde_json::from_str(&line?)?;
        let policies = PolicySet::from_str(question["policies"].as_str().unwrap_or_default())?;
        let empty = Vec::new();
        let asked = question["requests"].as_array().unwrap_or(&empty);
        let requests = asked.iter().map(request).collect::<Result<Vec<_>, _>>()?;
        let answer = if is_timed {
            let is_allowed = |r: &&Request| judge.is_authorized(r, &policies, &Entities::empty()).decision() == Decision::Allow;
            json!({ "ns": time(&judge, &policies, &requests), "allowed": requests.iter().filter(is_allowed).count() })
        } else {
            Value::Array(requests.iter().map(|r| decide(&judge, &policies, r)).collect::<Result<Vec<_>, _>>()?)
        };
        writeln!(out, "{answer}")?;
    }
    Ok(())
}
