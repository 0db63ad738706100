// SPDX-License-Identifier: MIT
//! Reads vpc files as Vector does, with parse_aws_vpc_flow_log, and writes one JSON object a record.
use std::collections::BTreeMap;
use vrl::compiler::state::RuntimeState;
use vrl::compiler::{compile, Context, Program, TargetValue, TimeZone};
use vrl::value::{Secrets, Value};

fn parse(program: &Program, line: &str, format: &str) -> Value {
    let members = BTreeMap::from([
        ("line".into(), Value::from(line)),
        ("format".into(), Value::from(format)),
    ]);
    let mut target = TargetValue {
        value: Value::Object(members),
        metadata: Value::Object(BTreeMap::new()),
        secrets: Secrets::default(),
    };
    let mut state = RuntimeState::default();
    let zone = TimeZone::default();
    let mut context = Context::new(&mut target, &mut state, &zone);
    program.resolve(&mut context).unwrap_or_else(|e| panic!("{line}: {e}"))
}

fn main() {
    let source = "parse_aws_vpc_flow_log!(string!(.line), format: string!(.format))";
    let program = compile(source, &vrl::stdlib::all()).expect("the program").program;
    let path = std::env::args().nth(1).expect("usage: fffa-peer-vrl FILE");
    let text = std::fs::read_to_string(path).expect("the file");
    let mut lines = text.lines();
    let format = lines.next().expect("a header").replace('-', "_");
    for line in lines {
        println!("{}", serde_json::to_string(&parse(&program, line, &format)).unwrap());
    }
}
