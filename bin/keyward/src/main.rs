mod config;
mod observe;
mod serve;

fn main() {}
