package io.vaultdr.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

import io.vaultdr.model.Failure;
import io.vaultdr.model.Secret;
import io.vaultdr.runtime.Json;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * How far the initialisation of a cluster came, as a secret remembers it.
 *
 * @param at when this phase began
 * @param rootToken while the cluster is being set up
 * @param told the state of which people were paged, so that they are paged of it once
 */
public record Initialisation(
        Phase phase, Instant at, Optional<Secret> rootToken, Optional<Next> told) {
    /** A run that began to initialise has ended or stored the keys long before. */
    public static final Duration YOUNG = Duration.ofMinutes(1);

    /** Until then nobody else can have put anything on nodes that this initialised. */
    public static final Duration WIPEABLE = Duration.ofHours(1);

    /** What is done, each before the next. */
    public enum Phase {
        /** Nothing yet. */
        NONE,
        /** {@code init} may have been called; nobody holds its keys until the next phase. */
        INITIALISING,
        /** The recovery keys are stored in every region; the root token is here. */
        SETTING_UP,
        /** All is set up, and the root token is revoked. */
        DONE
    }

    /** What the nodes say. */
    public enum Nodes {
        /** None answers. */
        SILENT,
        /** All that answer are uninitialised. */
        BLANK,
        /** Some are initialised, and none is active. */
        UNLED,
        /** One is active. */
        ACTIVE
    }

    /** What comes next; where a person has to act, its name is in report, log and page. */
    public enum Next {
        /** Initialise a blank node, and set the cluster up. */
        INITIALISE,
        /** Go on with setting up. */
        SET_UP,
        /** Compare what is there with what should be. */
        COMPARE,
        /** Wipe the nodes and begin again: they were initialised, and nobody has the keys. */
        KEYS_LOST,
        /** Another run may just be storing the keys: wait for the next one. */
        PERHAPS_UNDER_WAY,
        /** Nothing is to be done before nodes answer or one of them leads. */
        NOT_THERE_YET,
        /** Set up, and nothing to compare with: none is active. */
        UNSEEN,
        /** A person: somebody else initialised it, and it may hold data. */
        NOT_OURS,
        /** A person: it was set up, and its nodes are blank. */
        EMPTIED,
        /** A person: it was initialised long ago, and nobody has the keys. */
        KEYS_LONG_LOST;

        /** Whether only a person can go on. */
        public boolean stuck() {
            return this == NOT_OURS || this == EMPTIED || this == KEYS_LONG_LOST;
        }
    }

    /** A cluster of which nothing is known. */
    public static final Initialisation NOTHING =
            new Initialisation(Phase.NONE, Instant.EPOCH, Optional.empty(), Optional.empty());

    /** What comes next at {@code now}. */
    public Next next(Nodes nodes, Instant now) {
        return switch (phase) {
            case NONE ->
                    switch (nodes) {
                        case SILENT -> Next.NOT_THERE_YET;
                        case BLANK -> Next.INITIALISE;
                        case UNLED, ACTIVE -> Next.NOT_OURS;
                    };
            case INITIALISING ->
                    switch (nodes) {
                        case SILENT -> Next.NOT_THERE_YET;
                        case BLANK -> Next.INITIALISE;
                        case UNLED, ACTIVE -> {
                            Duration age = Duration.between(at, now);
                            yield age.compareTo(YOUNG) < 0
                                    ? Next.PERHAPS_UNDER_WAY
                                    : age.compareTo(WIPEABLE) < 0
                                            ? Next.KEYS_LOST
                                            : Next.KEYS_LONG_LOST;
                        }
                    };
            case SETTING_UP ->
                    switch (nodes) {
                        case SILENT, UNLED -> Next.NOT_THERE_YET;
                        case BLANK -> Next.INITIALISE;
                        case ACTIVE -> Next.SET_UP;
                    };
            case DONE ->
                    switch (nodes) {
                        case SILENT, UNLED -> Next.UNSEEN;
                        case BLANK -> Next.EMPTIED;
                        case ACTIVE -> Next.COMPARE;
                    };
        };
    }

    /** The same after people were told of {@code state}. */
    Initialisation telling(Optional<Next> state) {
        return new Initialisation(phase, at, rootToken, state);
    }

    /** As it is stored. */
    Secret stored() {
        ObjectNode json = Json.MAPPER.createObjectNode();
        json.put("phase", phase.name());
        json.put("at", at.toString());
        rootToken.ifPresent(it -> json.put("root_token", it.reveal()));
        told.ifPresent(it -> json.put("told", it.name()));
        return Secret.of(json.toString());
    }

    /**
     * Reads what was stored; {@link #NOTHING} of an empty secret.
     *
     * @throws Failure.Terminal where it isn't what this wrote; says nothing of what was read
     */
    static Initialisation of(Optional<Secret> stored) {
        if (stored.isEmpty()) {
            return NOTHING;
        }
        try {
            JsonNode json = Json.MAPPER.readTree(stored.get().reveal());
            return new Initialisation(
                    Phase.valueOf(json.path("phase").asText()),
                    Instant.parse(json.path("at").asText()),
                    Optional.of(json.path("root_token").asText())
                            .filter(it -> !it.isEmpty())
                            .map(Secret::of),
                    Optional.of(json.path("told").asText())
                            .filter(it -> !it.isEmpty())
                            .map(Next::valueOf));
        } catch (JsonProcessingException | IllegalArgumentException | DateTimeException e) {
            // Not kept as the cause: the parser quotes what it read.
            throw new Failure.Terminal(
                    "read how far the initialisation came",
                    "the secret holds something else",
                    "Somebody wrote there by hand: put the version before back");
        }
    }
}
