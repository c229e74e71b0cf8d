//! A report in HTTP/2, by the byte.

use super::{SECRET, Secret, instance};
use crate::harness::instance::Instance;
use crate::harness::origin::Origin;
use crate::harness::wire::Wire;

/// RFC 9113 §3.4, an empty SETTINGS frame, and `GET /` as one HEADERS frame.
const REQUEST: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\
    \x00\x00\x00\x04\x00\x00\x00\x00\x00\
    \x00\x00\x0b\x01\x05\x00\x00\x00\x01\x82\x86\x84\x41\x06a.test";

#[test]
fn a_pair_works_over_http_2_as_well() {
    let secret = Secret::new(&[SECRET]);
    let origin = Origin::always(
        "HTTP/1.1 412 Precondition Failed\r\nETag: \"v2\"\r\nWhy412-Report: forged\r\nContent-Length: 0\r\n\r\n",
    );
    let inner = instance("inner", &origin.address().to_string(), Some(&secret));
    let outer = Instance::configured(&format!(
        "[pairing]\nrole = \"outer\"\nsecret_file = \"{}\"\n[upstream.api]\nurl = \"http://{}\"\nhttp = \"2\"\n",
        secret.file.display(),
        inner.address()
    ));

    let answer = outer.ask("PUT /orders/7 HTTP/1.1\r\nHost: a\r\nIf-Match: \"v1\"\r\nContent-Length: 0\r\n\r\n");

    assert_eq!((answer.status(), answer.value("why412-report")), (412, None));
    assert_eq!(origin.only_request().head.value("why412-pair"), None);
    let record = outer.record_of_412("PUT");
    let far = &record["far_side"];
    assert_eq!(far["conditions"], serde_json::json!([["If-Match", "\"v1\""]]), "{record:#}");
    assert_eq!((far["status"].as_u64(), &far["validators"]), (Some(412), &serde_json::json!([["ETag", "\"v2\""]])));
    outer.assert_metric("why412_pairing_total{outcome=\"report\"}", 1.0);
}

const HEADERS: u8 = 1;

#[test]
fn only_the_report_is_never_indexed() {
    let secret = Secret::new(&[SECRET]);
    let origin = Origin::always("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nX-Own: 1\r\nContent-Length: 0\r\n\r\n");
    for (role, expected) in [("inner", 1), ("outer", 0)] {
        let instance = instance(role, &origin.address().to_string(), Some(&secret));
        let mut gateway = Wire::to(instance.address());
        gateway.send(REQUEST);
        let block = loop {
            let head = gateway.exactly(9).unwrap();
            let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
            let payload = gateway.exactly(length).unwrap();
            if head[3] == HEADERS {
                break payload;
            }
        };
        assert_eq!(never_indexed(&block), expected, "{role}");
    }
}

/// How many fields of a block are literals that are never indexed (RFC 7541 §6.2.3).
fn never_indexed(mut block: &[u8]) -> usize {
    let mut count = 0;
    while let Some(&first) = block.first() {
        let (prefix, literal) = match first {
            0x80.. => (7, false),
            0x40.. => (6, true),
            0x20.. => (5, false),
            _ => (4, true),
        };
        count += usize::from(first >> 4 == 1);
        let index = integer(&mut block, prefix);
        if literal && index == 0 {
            string(&mut block);
        }
        if literal {
            string(&mut block);
        }
    }
    count
}

/// RFC 7541 §5.1.
fn integer(block: &mut &[u8], prefix: u32) -> usize {
    let most = (1_usize << prefix) - 1;
    let mut take = || {
        let (first, rest) = block.split_first().expect("more of the block");
        *block = rest;
        usize::from(*first)
    };
    let mut value = take() & most;
    let mut shift = 0;
    while value >= most || shift > 0 {
        let byte = take();
        value += (byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

/// RFC 7541 §5.2, Huffman-coded or not.
fn string(block: &mut &[u8]) {
    let length = integer(block, 7);
    *block = &block[length..];
}
