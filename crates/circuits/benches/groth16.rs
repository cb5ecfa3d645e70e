//! Setup, witness check and proving time of every circuit: `cargo bench -p circuits`.

use std::{hint::black_box, time::Duration};

use circuits::{
    CircuitKind, Task,
    keys::{DevProvingKey, Fingerprint},
    prove,
    rollup::Demo,
};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use rand::rngs::OsRng;

fn bytes(kind: CircuitKind) -> Vec<u8> {
    let demo = Demo::new(1);
    let task = Task::new(demo.state(), &demo.batch(kind.batch_size(), 1)).expect("demo batches are valid");
    task.encode()
}

fn groth16(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("groth16");
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    for kind in CircuitKind::ALL {
        let bytes = bytes(kind);
        let decode = || Task::decode(&bytes).expect("the task's own encoding");
        let generate = || DevProvingKey::generate(kind).expect("the circuit is the registered one");
        let (task, key) = (decode(), generate());
        group.bench_function(BenchmarkId::new("decode", kind), |b| b.iter(|| black_box(decode())));
        group.bench_function(BenchmarkId::new("fingerprint", kind), |b| {
            b.iter(|| black_box(Fingerprint::of(kind).is_ok()));
        });
        group.bench_function(BenchmarkId::new("setup", kind), |b| b.iter(|| black_box(generate())));
        group.bench_function(BenchmarkId::new("prove", kind), |b| {
            b.iter(|| black_box(prove(&key, &task, &mut OsRng).expect("the task is valid")));
        });
    }
    group.finish();
}

criterion_group!(benches, groth16);
criterion_main!(benches);
