package io.vaultdr.model;

import java.time.Duration;
import java.util.OptionalLong;

/**
 * What a restore loses of acknowledged writes.
 *
 * @param time from the snapshot to the last slot in which home served: an upper bound
 * @param entries Raft entries between the snapshot's index and the last committed index that a
 *     vantage saw: an estimate, empty where none was seen
 */
public record Loss(Duration time, OptionalLong entries) {}
