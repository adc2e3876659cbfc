package io.vaultdr.doctor;

import io.vaultdr.failover.Ledger;
import io.vaultdr.failover.Pager;
import io.vaultdr.model.Check;
import io.vaultdr.model.Failure;
import io.vaultdr.promotion.Capacity;
import io.vaultdr.snapshot.Catalog;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.SealKeys;
import io.vaultdr.snapshot.SnapshotStore;
import io.vaultdr.traffic.TrafficFlag;
import io.vaultdr.traffic.WeightedRecords;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * What a function looks at to find out what is the matter. Each look changes nothing that outlives
 * it and tells what it saw instead of failing; all are taken at once.
 */
public final class Looks {
    private final List<Look> all;

    private record Look(String what, String target, Supplier<List<Check>> take) {}

    private Looks(List<Look> all) {
        this.all = List.copyOf(all);
    }

    /** Nothing yet. */
    public static Looks none() {
        return new Looks(List.of());
    }

    /** One more, of several checks. */
    public Looks and(String what, String target, Supplier<List<Check>> take) {
        List<Look> more = new ArrayList<>(all);
        more.add(new Look(what, target, take));
        return new Looks(more);
    }

    /** One more, of one check: what {@code saw} says is well, and what it throws is not. */
    public Looks seeing(String what, String target, Supplier<String> saw) {
        return and(what, target, () -> List.of(Check.of(what, target, saw)));
    }

    /** Something that can't be looked at without harm, and why. */
    public Looks leaving(String what, String target, String why) {
        return and(what, target, () -> List.of(Check.notLookedAt(what, target, why)));
    }

    /**
     * Takes all looks at once.
     *
     * @param limit how long all may take; one that takes longer is given up, and said
     */
    public List<Check> take(Duration limit) {
        long end = System.nanoTime() + limit.toNanos();
        List<FutureTask<List<Check>>> taken =
                all.stream().map(look -> new FutureTask<>(look.take()::get)).toList();
        for (int n = 0; n < taken.size(); n++) {
            Thread.ofVirtual().name("look at " + all.get(n).what()).start(taken.get(n));
        }
        List<Check> checks = new ArrayList<>();
        for (int n = 0; n < taken.size(); n++) {
            checks.addAll(taken(all.get(n), taken.get(n), end - System.nanoTime(), limit));
        }
        return List.copyOf(checks);
    }

    private static List<Check> taken(
            Look look, FutureTask<List<Check>> task, long left, Duration limit) {
        try {
            return task.get(Math.max(0, left), TimeUnit.NANOSECONDS);
        } catch (TimeoutException | CancellationException e) {
            task.cancel(true);
            return List.of(
                    Check.failed(
                            look.what(),
                            look.target(),
                            "no answer within " + limit.toSeconds() + " s",
                            "Look whether this function's network leads there"));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Failure failure) {
                return List.of(Check.failed(look.what(), look.target(), failure));
            }
            throw new IllegalStateException("look at " + look.what(), e.getCause());
        } catch (InterruptedException e) {
            task.cancel(true);
            Thread.currentThread().interrupt();
            return List.of(Check.notLookedAt(look.what(), look.target(), "interrupted"));
        }
    }

    /** The pair's ledger: reads the state. */
    public Looks ledger(String table, Ledger ledger) {
        return seeing(
                Check.LEDGER,
                table,
                () -> {
                    var state = ledger.state();
                    return state.serving() + " serves, epoch " + state.epoch();
                });
    }

    /** A bucket of snapshots, which is only read: lists it and reads the newest manifest. */
    public Looks reading(Catalog catalog) {
        return seeing(Check.BUCKET, "snapshots in " + catalog.region(), () -> newest(catalog));
    }

    /**
     * A bucket of snapshots, which is written: begins an upload with its key and gives it up, of
     * which nothing stays.
     *
     * @param key of an archive that there will never be
     */
    public Looks writing(SnapshotStore store, String key) {
        return reading(store)
                .seeing(
                        Check.BUCKET,
                        "uploads to " + store.region(),
                        () -> {
                            store.begin(key).abort();
                            return "one was begun with the bucket's key, and given up";
                        });
    }

    private static String newest(Catalog catalog) {
        return catalog.newest(1).stream()
                .map(Manifest::id)
                .findFirst()
                .map(id -> "readable, the newest is " + id)
                .orElse("readable, and empty");
    }

    /** A key: its state, as its owner's region tells it. */
    public Looks key(String arn, Supplier<SealKeys.State> state) {
        return and(Check.KEY, arn, () -> List.of(key(arn, state.get())));
    }

    /** What a key's state means. */
    static Check key(String arn, SealKeys.State state) {
        return switch (state) {
            case USABLE -> Check.ok(Check.KEY, arn, "enabled");
            case DISABLED ->
                    Check.failed(
                            Check.KEY,
                            arn,
                            "disabled",
                            "Enable it, or no snapshot can be opened: aws kms enable-key");
            case PENDING_DELETION ->
                    Check.failed(
                            Check.KEY,
                            arn,
                            "it is going to be deleted, and all snapshots with it",
                            "Stop that at once: aws kms cancel-key-deletion, then enable it");
            case MISSING ->
                    Check.failed(
                            Check.KEY,
                            arn,
                            "there is no such key here",
                            "Correct the key in the configuration, or make its replica here");
            case UNREACHABLE ->
                    Check.failed(
                            Check.KEY,
                            arn,
                            "KMS doesn't tell its state",
                            "Look whether the network leads to KMS, and whether the key's policy"
                                    + " lets this function's role describe it");
        };
    }

    /** A traffic flag: whether it stands. Raising it would turn clients. */
    public Looks flag(TrafficFlag flag) {
        return seeing(
                Check.FLAG,
                flag.place(),
                () -> flag.raised() ? "raised: clients go to DR" : "not raised");
    }

    /** The weighted records: reads the weights. */
    public Looks weights(String record, WeightedRecords records) {
        return seeing(
                Check.WEIGHTS,
                record,
                () -> {
                    var weights = records.read();
                    return "home " + weights.home() + ", DR " + weights.dr();
                });
    }

    /** The topic that pages people: whether somebody listens. */
    public Looks pages(String topic, Pager pager) {
        return and(
                Check.PAGES,
                topic,
                () -> {
                    int receivers = pager.receivers();
                    return List.of(
                            receivers > 0
                                    ? Check.ok(Check.PAGES, topic, receivers + " receivers")
                                    : Check.failed(
                                            Check.PAGES,
                                            topic,
                                            "nobody would get a page",
                                            "Subscribe people or their tool, and confirm it"));
                });
    }

    /** A group of servers: whether it may grow to {@code voters}. */
    public Looks group(String group, int voters, Capacity capacity) {
        return and(
                Check.GROUP,
                group,
                () -> {
                    Capacity.Size size = capacity.size();
                    String saw = "wants " + size.desired() + ", may have " + size.max();
                    return List.of(
                            size.max() >= voters
                                    ? Check.ok(Check.GROUP, group, saw)
                                    : Check.failed(
                                            Check.GROUP,
                                            group,
                                            saw + " instances; " + voters + " voters are wanted",
                                            "Raise the group's maximum"));
                });
    }
}
