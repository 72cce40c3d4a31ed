//! The receiver answers later the more it has to do.

use labhook::simulate::{Queue, Receiver};

use crate::weather::{Class, Weather, count};

/// A queue that serves 50/s.
fn queue(class: Class, name: &str, queue: Queue, in_flight: usize) -> Weather {
    let receiver = Receiver::new().with_queue(queue);
    Weather::new(class, name, receiver).load(60).oracle_in_flight(in_flight)
}

pub fn list() -> Vec<Weather> {
    let plain = |name: &str, it| queue(Class::Queue, name, it, 50);
    let thrashing = |name: &str, threshold: u32| {
        let it = Queue::new(count(50)).with_thrashing(count(threshold));
        queue(Class::Thrashing, name, it, threshold as usize)
    };
    vec![
        plain("50/s", Queue::new(count(50))).load(40),
        plain("50/s", Queue::new(count(50))),
        plain("50/s, at most 100 wait", Queue::new(count(50)).with_max_waiting(100)),
        plain("50/s, at most 20 wait", Queue::new(count(50)).with_max_waiting(20))
            .oracle_in_flight(20),
        plain("5/s", Queue::new(count(5))).load(6),
        thrashing("50/s, thrashes beyond 8", 8),
        thrashing("50/s, thrashes beyond 20", 20),
        thrashing("50/s, thrashes beyond 100", 100).load(45),
        thrashing("50/s, thrashes beyond 100", 100),
    ]
}
