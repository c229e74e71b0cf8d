//! What people live through. A story goes on with what it was handed, whatever a gateway made of it.

use super::way::Way;

/// Something lived through, under the name of the resource that it is about.
type Story = (&'static str, fn(&Way));

/// Every story.
pub(super) const ALL: [Story; 13] = [
    ("clean", clean_traffic),
    ("saved", read_and_saved),
    ("saved-compressed", read_and_saved_as_a_browser_does),
    ("again", read_again_by_a_browser_and_by_a_script),
    ("elsewhere", somebody_elses_write),
    ("stale", a_stale_hit_then_a_write),
    ("judged", a_condition_that_the_cache_judges),
    ("lost-put", a_put_whose_answer_is_lost),
    ("lost-delete", a_delete_whose_answer_is_lost),
    ("too-large", a_put_whose_answer_is_too_large),
    ("twice", the_same_field_twice),
    ("dropped", a_precondition_that_must_stop_a_write),
    ("bypassed", a_bypass_on_and_off),
];

fn clean_traffic(way: &Way) {
    let tag = way.ask("anna", "GET", "").etag();
    way.ask("bert", "GET", &format!("If-None-Match: {tag}"));
    way.ask("anna", "HEAD", "");
    way.ask("anna", "PUT", &format!("If-Match: {tag}"));
}

fn read_and_saved(way: &Way) {
    let read = way.ask("anna", "GET", "");
    way.ask("anna", "PUT", &read.guard());
}

fn read_and_saved_as_a_browser_does(way: &Way) {
    let read = way.ask("anna", "GET", "Accept-Encoding: gzip");
    way.ask("anna", "PUT", &format!("Accept-Encoding: gzip\n{}", read.guard()));
    // As it was before the write, and as HEAD has it.
    way.ask("bert", "GET", "Accept-Encoding: gzip");
    let head = way.ask("bert", "HEAD", "Accept-Encoding: gzip");
    way.ask("bert", "PUT", &head.guard());
}

fn read_again_by_a_browser_and_by_a_script(way: &Way) {
    let browsers = way.ask("anna", "GET", "Accept-Encoding: gzip");
    way.ask("anna", "GET", &format!("Accept-Encoding: gzip\n{}", browsers.question()));
    let scripts = way.ask("bert", "GET", "");
    way.ask("bert", "GET", &scripts.question());
}

fn somebody_elses_write(way: &Way) {
    let annas = way.ask("anna", "GET", "");
    let berts = way.ask("bert", "GET", "");
    way.ask("bert", "PUT", &berts.guard());
    way.ask("anna", "PUT", &annas.guard());
}

fn a_stale_hit_then_a_write(way: &Way) {
    let berts = way.ask("bert", "GET", "");
    way.ask("bert", "PUT", &berts.guard());
    // Read after the write; a cache may still have what was before it.
    let annas = way.ask("anna", "GET", "");
    way.ask("anna", "PUT", &annas.guard());
}

fn a_condition_that_the_cache_judges(way: &Way) {
    let old = way.ask("anna", "GET", "");
    way.ask("bert", "GET", &format!("If-None-Match: {}", old.etag()));
    way.ask("bert", "GET", "If-Unmodified-Since: Mon, 05 Feb 2024 10:00:00 GMT");
    let new = way.ask("anna", "PUT", &old.guard());
    // The cache may still have the version before.
    way.ask("anna", "GET", &format!("If-Match: {}", new.etag()));
}

fn a_put_whose_answer_is_lost(way: &Way) {
    way.warm_up();
    let read = way.ask("anna", "GET", "");
    let written = way.ask("anna", "PUT", &format!("X-Lose: answer\n{}", read.guard()));
    if written.status() >= 500 {
        way.ask("anna", "PUT", &format!("X-Lose: answer\n{}", read.guard()));
    }
}

fn a_delete_whose_answer_is_lost(way: &Way) {
    way.warm_up();
    let read = way.ask("anna", "GET", "");
    let deleted = way.ask("anna", "DELETE", &format!("X-Lose: answer\n{}", read.guard()));
    if deleted.status() >= 500 {
        way.ask("anna", "DELETE", &format!("X-Lose: answer\n{}", read.guard()));
    }
}

/// For some gateways, that is: they give an error of their own in its place.
fn a_put_whose_answer_is_too_large(way: &Way) {
    let read = way.ask("anna", "GET", "");
    let written = way.ask("anna", "PUT", &format!("X-Lose: size\n{}", read.guard()));
    if written.status() >= 500 {
        way.ask("anna", "PUT", &format!("X-Lose: size\n{}", read.guard()));
    }
}

fn the_same_field_twice(way: &Way) {
    let tag = way.ask("anna", "GET", "").etag();
    way.ask("anna", "PUT", &format!("If-Match: \"another\"\nIf-Match: {tag}"));
}

fn a_precondition_that_must_stop_a_write(way: &Way) {
    let annas = way.ask("anna", "GET", "");
    let berts = way.ask("bert", "GET", "");
    way.ask("bert", "PUT", &berts.guard());
    way.ask("anna", "DELETE", &annas.guard());
}

fn a_bypass_on_and_off(way: &Way) {
    let before = way.ask("anna", "GET", "");
    way.bypass(true);
    way.ask("anna", "GET", "");
    way.ask("bert", "GET", &format!("If-None-Match: {}", before.etag()));
    way.ask("anna", "PUT", &before.guard());
    way.bypass(false);
    way.ask("bert", "GET", "");
}
