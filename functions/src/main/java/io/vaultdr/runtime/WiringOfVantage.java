package io.vaultdr.runtime;

import com.fasterxml.jackson.core.JsonProcessingException;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.SsmParameters;
import io.vaultdr.doctor.Looks;
import io.vaultdr.model.Failure;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The pairs that a vantage probes, each with adapters of its own, so that one pair's hanging table
 * or servers delay no other. They are kept over invocations as long as a pair's parameters stay the
 * same.
 */
public final class WiringOfVantage {
    private static final Logger LOG = LoggerFactory.getLogger(WiringOfVantage.class);
    private static final String SETTINGS = "/settings";

    private final Settings.OfVantage settings;
    private final SsmParameters parameters;
    private final AwsClients aws;
    private final Clock clock;
    private final Map<Map<String, String>, Wiring> made = new HashMap<>();

    /** The pairs under the vantage's settings path. */
    public WiringOfVantage(Settings.OfVantage settings, AwsClients aws, Clock clock) {
        this.settings = settings;
        this.parameters = new SsmParameters(aws.ssm(settings.region()));
        this.aws = aws;
        this.clock = clock;
    }

    /** The vantage that the function's environment names. */
    public static WiringOfVantage ofEnvironment() {
        return new WiringOfVantage(
                Settings.ofVantage(System.getenv()), Wiring.awsClients(), Clock.systemUTC());
    }

    /** What time it is. */
    public Clock clock() {
        return clock;
    }

    /**
     * The adapters of every pair. A pair whose settings can't be read is left out and logged as an
     * error: the others are probed all the same, and its own vantage alarm tells.
     */
    public List<Wiring> pairs() {
        Map<String, String> all = parameters.below(settings.settingsPath());
        List<Wiring> pairs = new ArrayList<>();
        for (String name : all.keySet()) {
            if (name.endsWith(SETTINGS)) {
                String pair = name.substring(0, name.length() - SETTINGS.length());
                try {
                    pairs.add(wiring(pair, all));
                } catch (Failure e) {
                    LOG.error("pair {} is not probed: {}", pair, e.getMessage());
                }
            }
        }
        if (pairs.isEmpty()) {
            throw new Failure.Terminal(
                    "read the pairs below " + settings.settingsPath(),
                    all.size() + " parameters and no usable <pair>/settings",
                    "Deploy the Vantage stack of " + settings.region() + " again");
        }
        return pairs;
    }

    private Wiring wiring(String pair, Map<String, String> all) {
        Map<String, String> own = new HashMap<>();
        all.forEach(
                (name, value) -> {
                    if (name.startsWith(pair + "/")) {
                        own.put(name.substring(pair.length() + 1), value);
                    }
                });
        Wiring known = made.get(own);
        if (known == null) {
            known =
                    new Wiring(
                            settings.region(),
                            parse(pair, own.getOrDefault("settings", "")),
                            clock,
                            aws,
                            side -> Optional.ofNullable(own.get("ca/" + side)));
            made.put(own, known);
        }
        return known;
    }

    private PairSettings parse(String pair, String json) {
        try {
            return Json.MAPPER.readValue(json, PairSettings.class);
        } catch (JsonProcessingException e) {
            throw new Failure.Terminal(
                    "read parameter " + settings.settingsPath() + "/" + pair + SETTINGS,
                    e.getOriginalMessage(),
                    "Deploy the Vantage stack of " + settings.region() + " again",
                    e);
        }
    }

    /**
     * What probing one pair uses.
     *
     * @throws Failure.Terminal where the vantage doesn't probe {@code pair}
     */
    public Looks looks(String pair) {
        return pairs().stream()
                .filter(wiring -> wiring.pair().pair().value().equals(pair))
                .findFirst()
                .map(wiring -> new WiringOfDoctor(wiring).probe())
                .orElseThrow(
                        () ->
                                new Failure.Terminal(
                                        "look at pair " + pair,
                                        "it isn't among those that are probed from "
                                                + settings.region(),
                                        "Deploy the Vantage stack of "
                                                + settings.region()
                                                + " again"));
    }

    /**
     * Probes every pair until {@code until}, each on its own.
     *
     * @param claimant this invocation; a later one's sorts after it
     */
    public void probe(String claimant, Instant until) {
        List<Thread> probing = new ArrayList<>();
        for (Wiring pair : pairs()) {
            probing.add(
                    Thread.ofVirtual()
                            .name("pair " + pair.pair().pair())
                            .start(() -> pair.probing().run(claimant, until)));
        }
        try {
            for (Thread thread : probing) {
                thread.join();
            }
        } catch (InterruptedException e) {
            probing.forEach(Thread::interrupt);
            Thread.currentThread().interrupt();
        }
    }
}
