package io.vaultdr.rehearsal;

import static io.vaultdr.rehearsal.Expectations.facts;
import static io.vaultdr.rehearsal.Expectations.finding;
import static io.vaultdr.rehearsal.Expectations.movedOver;
import static io.vaultdr.rehearsal.Expectations.notMoved;
import static io.vaultdr.rehearsal.Expectations.nothingLost;
import static io.vaultdr.rehearsal.Expectations.nothingMoved;
import static io.vaultdr.rehearsal.Expectations.outcome;
import static io.vaultdr.rehearsal.Expectations.pagedBy;

import com.fasterxml.jackson.databind.JsonNode;

import io.vaultdr.model.Outcome;
import io.vaultdr.model.StepName;
import io.vaultdr.rehearsal.Console.Tone;
import io.vaultdr.rehearsal.Ending.Expectation;
import io.vaultdr.runtime.Json;
import io.vaultdr.snapshot.Manifest;
import io.vaultdr.snapshot.Proof;
import io.vaultdr.snapshot.Proof.Reason;
import io.vaultdr.vault.Login;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What may go wrong with backups. */
final class ProofScenarios {
    private static final String PAIR = Configuration.PAIR;
    private static final String REFUTED = "proof-refuted";
    private static final String FROZEN = "retention-frozen";

    private ProofScenarios() {}

    /** All of them. */
    static List<Scenario> all() {
        return List.of(
                scenario(
                        "prove",
                        "A snapshot is committed; a function restores it into a real server of"
                                + " its own and reads its canary back.",
                        "It is proven; nothing else moves.",
                        ProofScenarios::prove,
                        facts("the snapshot is proven", "the proof is of that archive")),
                scenario(
                        "damaged-in-bucket",
                        "A proven snapshot is damaged in its bucket; it is proven again.",
                        "The proof names the damage, and it pages.",
                        ProofScenarios::damagedInBucket,
                        facts("it was proven before", "refuted as damaged").and(pagedBy(REFUTED))),
                scenario(
                        "wrong-key",
                        "The key that the seal is opened with is not the one that the"
                                + " snapshot was sealed with; later it is put right.",
                        "The proof names the key, and it pages; with the right key the same"
                                + " snapshot is proven.",
                        ProofScenarios::wrongKey,
                        facts("the wrong key is named", "the right key opens it")
                                .and(pagedBy(REFUTED))),
                scenario(
                        "poisoned-backup",
                        "Three snapshots are proven; then somebody unmounts four teams'"
                                + " engines, and the next snapshot is proven without them.",
                        "Retention freezes and pages, and deletes nothing; when a person has"
                                + " accepted the fall, it goes on.",
                        ProofScenarios::poisonedBackup,
                        facts(
                                        "the history is proven",
                                        "the emptied snapshot is proven",
                                        "the keep rules would let something go",
                                        "Retention froze",
                                        "nothing was deleted while it was frozen",
                                        "a person's word was taken",
                                        "what nothing keeps is gone",
                                        "what is kept is there")
                                .and(pagedBy(FROZEN))),
                new Scenario(
                        "rotated-login",
                        "The secret ids of all logins but RotateLogins' own are destroyed, and it"
                                + " issues new ones; then the newer snapshot is damaged and the"
                                + " home region dies.",
                        "Fails over with the oldest snapshot, by the logins that its manifest"
                                + " names; there RotateLogins issues those that the restored"
                                + " server doesn't know, and snapshots go on.",
                        Scenario.AUTOMATIC,
                        ProofScenarios::rotatedLogin,
                        movedOver("DOWN")
                                .and(finding("damaged|corrupt|hash|not whole"))
                                .and(
                                        facts(
                                                "home knows no old secret id any more",
                                                "home's RotateLogins issued new ones in every"
                                                        + " region",
                                                "DR's RotateLogins issued what the restored server"
                                                        + " doesn't know",
                                                "DR's snapshots go on",
                                                "the newer snapshot names other logins",
                                                "the newer one is proven with its own",
                                                "the oldest is proven with its own",
                                                "the oldest one serves"))),
                scenario(
                        "archive",
                        "A snapshot a hundred days old (a copy that says so of itself) is moved to"
                                + " DEEP_ARCHIVE; an operator brings it back. (S3 would take up to"
                                + " twelve hours for that.)",
                        "Frozen it can't be proven, and says so; when S3 tells that it is back it"
                                + " is proven by itself.",
                        ProofScenarios::archive,
                        facts(
                                "Retention marked it for the archive",
                                "the lifecycle moved it in every bucket",
                                "a proof says that it is frozen",
                                "the command asked for it",
                                "it is proven when it is back")),
                new Scenario(
                        "drill",
                        "An operator drills the pair and checks the report; later home is cut off,"
                                + " a person is asked, and somebody drills again.",
                        "The drill meets its goals and its report verifies, a changed one doesn't;"
                                + " beside the incident it is refused.",
                        Scenario.AUTOMATIC,
                        ProofScenarios::drill,
                        notMoved()
                                .and(outcome(Outcome.RECOVERED))
                                .and(nothingLost())
                                .and(
                                        facts(
                                                "the drill met its goals",
                                                "the report is locked for a year",
                                                "the report verifies",
                                                "a changed report is told from it",
                                                "no drill beside an incident"))),
                scenario(
                        "secret-lost",
                        "Somebody deletes a secret with all its versions.",
                        "An operator brings it back alone out of a proven snapshot: into a file"
                                + " with its versions, and to its path; no other secret is"
                                + " touched.",
                        ProofScenarios::secretLost,
                        facts(
                                "the snapshot that has it is proven",
                                "the live cluster has nothing of it",
                                "a file for its owner alone has both versions",
                                "its newest version is back at its path",
                                "its neighbour is as it was",
                                "no value was shown")));
    }

    /** In none of them anything may move, nor a client lose anything. */
    private static Scenario scenario(
            String name,
            String what,
            String expected,
            Scenario.Play play,
            Expectation expectation) {
        return new Scenario(
                name,
                what,
                expected,
                Scenario.AUTOMATIC,
                play,
                nothingMoved().and(nothingLost()).and(expectation));
    }

    private static void prove(Stage stage) throws Exception {
        Manifest taken = stage.takeSnapshot();
        Proof proof = stage.awaitProof(taken.id(), Optional.empty());
        stage.check("the snapshot is proven", proof.proven());
        stage.check(
                "the proof is of that archive",
                proof.sha256().equals(Optional.of(taken.sha256()))
                        && proof.clusterId().equals(Optional.of(taken.clusterId())));
    }

    private static void damagedInBucket(Stage stage) throws Exception {
        Manifest taken = stage.takeSnapshot();
        stage.check(
                "it was proven before", stage.awaitProof(taken.id(), Optional.empty()).proven());
        stage.corrupt(Configuration.DR, taken);
        stage.check(
                "refuted as damaged",
                refuted(stage.proveAgain(taken.id()), Reason.ARCHIVE_DAMAGED));
        stage.awaitAlarm(REFUTED);
    }

    private static void wrongKey(Stage stage) throws Exception {
        stage.replaceSealKey();
        Manifest taken = stage.takeSnapshot();
        stage.check(
                "the wrong key is named",
                refuted(stage.awaitProof(taken.id(), Optional.empty()), Reason.SEAL_KEY_WRONG));
        stage.awaitAlarm(REFUTED);
        stage.putSealKeyBack();
        stage.check("the right key opens it", stage.proveAgain(taken.id()).proven());
    }

    /** The emptied snapshot is as proven as the others: what it lacks only their counts tell. */
    private static void poisonedBackup(Stage stage) throws Exception {
        List<String> teams = List.of("team-1", "team-2", "team-3", "team-4");
        for (String team : teams) {
            stage.mountSecrets(team);
            for (int key = 1; key <= 6; key++) {
                stage.writeSecret(team, "key-" + key, Map.of("value", team + " " + key));
            }
        }
        boolean proven = true;
        for (int i = 0; i < 3; i++) {
            proven &= provenSnapshot(stage).proven();
        }
        stage.check("the history is proven", proven);
        stage.tell(Tone.BAD, "somebody unmounts " + teams);
        for (String team : teams) {
            stage.home("DELETE", "sys/mounts/" + team).expect();
        }
        Proof emptied = provenSnapshot(stage);
        stage.check("the emptied snapshot is proven", emptied.proven());

        Set<String> before = listed(stage);
        Operator operator = stage.operator();
        Set<String> going = ids(operator.run("retention", PAIR, "--dry-run", "--json"), "deleted");
        stage.check("the keep rules would let something go", !going.isEmpty());
        Operator.Ran frozen = operator.run("retention", PAIR, "--now");
        stage.check(
                "Retention froze",
                frozen.exit() == 1
                        && frozen.says("SECRET_ENGINES fell from")
                        && frozen.says("to be deleted"));
        stage.awaitAlarm(FROZEN);
        stage.check("nothing was deleted while it was frozen", listed(stage).containsAll(before));

        Operator.Ran accepted =
                operator.run("retention", "accept", PAIR, "--reason", "the teams have left");
        stage.check("a person's word was taken", accepted.exit() == 0);
        stage.tell(Tone.GOOD, "a person accepts the fall");
        Operator.Ran goesOn = operator.run("retention", PAIR, "--now", "--json");
        Set<String> gone = ids(goesOn, "deleted");
        stage.check(
                "what nothing keeps is gone",
                goesOn.exit() == 0
                        && gone.containsAll(going)
                        && gone.stream().noneMatch(stage.buckets()::anyLeft));
        before.removeIf(one -> gone.contains(one.substring(one.indexOf('/') + 1)));
        stage.check(
                "what is kept is there",
                before.contains(Configuration.DR + "/" + emptied.id())
                        && listed(stage).containsAll(before));
    }

    /** The ids in a list of what Retention answered. */
    private static Set<String> ids(Operator.Ran retention, String list) {
        return new TreeSet<>(retention.json().path(list).findValuesAsText("id"));
    }

    /** What is listed in all buckets, as {@code region/id}. */
    private static Set<String> listed(Stage stage) {
        return Buckets.REGIONS.stream()
                .flatMap(
                        region ->
                                stage.buckets().listed(region).stream()
                                        .map(manifest -> region + "/" + manifest.id()))
                .collect(Collectors.toSet());
    }

    private static void rotatedLogin(Stage stage) throws Exception {
        Manifest oldest = stage.buckets().listed(Configuration.DR).getLast();
        stage.awaitProof(oldest.id(), Optional.empty());
        // Before there is a newer one: what a dry run has fetched, it has sound.
        stage.warmSteps();
        Map<String, String> old = oldest.needs().login();
        Map<String, String> others = new TreeMap<>(old);
        boolean destroyed = others.remove(Login.Intent.ROTATE.toString()) != null;
        for (Map.Entry<String, String> login : others.entrySet()) {
            String accessors = "auth/approle/role/vault-dr-" + login.getKey();
            Map<String, String> accessor = Map.of("secret_id_accessor", login.getValue());
            stage.home("POST", accessors + "/secret-id-accessor/destroy", accessor).expect();
            destroyed &=
                    stage.home("POST", accessors + "/secret-id-accessor/lookup", accessor).status()
                            == 404;
        }
        stage.check("home knows no old secret id any more", destroyed);
        stage.tell(Tone.BAD, "the secret ids of " + others.keySet() + " are destroyed at home");
        JsonNode rotated = stage.scheduled(Configuration.HOME, "rotate-logins");
        stage.check(
                "home's RotateLogins issued new ones in every region",
                rotated.path("result").asText().equals("DONE")
                        && replaced(rotated).equals(others.keySet()));

        Manifest newer = stage.takeSnapshot();
        stage.check(
                "the newer snapshot names other logins",
                newer.needs().login().keySet().equals(old.keySet())
                        && Collections.disjoint(newer.needs().login().values(), others.values()));
        stage.check(
                "the newer one is proven with its own",
                stage.awaitProof(newer.id(), Optional.empty()).proven());
        stage.check("the oldest is proven with its own", stage.proveAgain(oldest.id()).proven());

        stage.corruptNewerThan(Configuration.DR, oldest);
        stage.loseHome();
        stage.awaitEnd(Outcome.COMPLETED);
        stage.check(
                "the oldest one serves",
                stage.ledger().incidents(1).stream()
                        .map(incident -> incident.steps().get(StepName.PROMOTE))
                        .anyMatch(
                                promoted ->
                                        promoted != null
                                                && oldest.id()
                                                        .equals(
                                                                promoted.result()
                                                                        .get("snapshot"))));

        JsonNode repaired = stage.scheduled(Configuration.DR, "rotate-logins");
        stage.check(
                "DR's RotateLogins issued what the restored server doesn't know",
                replaced(repaired).equals(others.keySet()));
        stage.check(
                "DR's snapshots go on",
                stage.scheduled(Configuration.DR, "take-snapshot")
                        .path("outcome")
                        .asText()
                        .equals("COMMITTED"));
    }

    /** The logins whose secret ids the server didn't know. */
    private static Set<String> replaced(JsonNode rotation) {
        return rotation.path("logins").properties().stream()
                .filter(login -> login.getValue().asText().equals("UNKNOWN"))
                .map(Map.Entry::getKey)
                .collect(Collectors.toSet());
    }

    private static void archive(Stage stage) throws Exception {
        Manifest first = stage.buckets().listed(Configuration.DR).getLast();
        Manifest old = stage.buckets().older(first, Duration.ofDays(100));
        stage.tell(
                Tone.SOFT,
                old.id() + " is a copy of " + first.id() + ", dated a hundred days back");
        stage.awaitProof(old.id(), Optional.empty());
        // The newest three are kept at hand, however old they are.
        stage.takeSnapshot();
        provenSnapshot(stage);

        Set<String> archived =
                ids(stage.operator().run("retention", PAIR, "--now", "--json"), "archived");
        stage.check("Retention marked it for the archive", archived.equals(Set.of(old.id())));
        stage.check(
                "the lifecycle moved it in every bucket",
                Buckets.REGIONS.stream()
                        .allMatch(
                                region ->
                                        stage.world()
                                                .moveTagged(region, Buckets.name(region))
                                                .equals(List.of(old.archiveKey()))));
        stage.tell(Tone.BAD, old.id() + " is in DEEP_ARCHIVE");
        Proof frozen = stage.proveAgain(old.id());
        stage.check(
                "a proof says that it is frozen",
                frozen.reason().equals(Optional.of(Reason.ARCHIVE_FROZEN)));

        Operator.Ran thaw = stage.operator().run("snapshots", "thaw", old.id());
        stage.check(
                "the command asked for it",
                thaw.exit() == 0 && thaw.says("is being brought back from DEEP_ARCHIVE"));
        stage.tell(Tone.SOFT, "it is back at once, which S3 needs hours for");
        stage.check(
                "it is proven when it is back",
                stage.awaitProof(old.id(), Optional.of(frozen)).proven());
    }

    private static void drill(Stage stage) throws Exception {
        Operator operator = stage.operator();
        Operator.Ran drill = operator.run("drill", PAIR);
        stage.check("the drill met its goals", drill.exit() == 0 && drill.says("outcome  MET"));
        String place =
                drill.lines().stream()
                        .filter(line -> line.matches("report +s3://.*"))
                        .map(line -> line.replaceFirst("report +s3://", ""))
                        .findFirst()
                        .orElseThrow(() -> new IllegalStateException("the drill has no report"));
        stage.check(
                "the report is locked for a year",
                stage.buckets()
                        .lockedUntil(place)
                        .filter(until -> until.isAfter(Instant.now().plus(Duration.ofDays(364))))
                        .isPresent());
        Path report = stage.buckets().fetch(place, operator.folder().resolve("report.json"));
        Path signature =
                stage.buckets().fetch(place + ".sig", operator.folder().resolve("report.json.sig"));
        String key = stage.drillKey();
        stage.check(
                "the report verifies",
                operator.run("drill", "verify", "report.json", "--key", key).exit() == 0);
        Path changed = report.resolveSibling("changed.json");
        Files.writeString(
                changed, Files.readString(report).replace("\"met\" : true", "\"met\" : false"));
        Files.copy(signature, report.resolveSibling("changed.json.sig"));
        Operator.Ran altered = operator.run("drill", "verify", "changed.json", "--key", key);
        stage.check(
                "a changed report is told from it",
                altered.exit() == 1 && altered.says("'goals' was changed"));

        stage.strike("links from DR and witness to home are cut");
        stage.cut(Configuration.DR);
        stage.cut(Configuration.WITNESS);
        stage.awaitAsked();
        Operator.Ran beside = operator.run("drill", PAIR);
        stage.check(
                "no drill beside an incident",
                beside.exit() == 1 && beside.says("outcome  REFUSED"));
        stage.mendAll();
        stage.awaitEnd(Outcome.RECOVERED);
    }

    private static void secretLost(Stage stage) throws Exception {
        String path = "secret/team/db";
        Map<String, String> newest = Map.of("user", "app", "password", "the-second-one");
        stage.mountSecrets("secret");
        stage.writeSecret("secret", "team/db", Map.of("user", "app", "password", "the-first-one"));
        stage.writeSecret("secret", "team/db", newest);
        stage.writeSecret("secret", "team/api", Map.of("key", "another"));
        Proof proof = provenSnapshot(stage);
        stage.check("the snapshot that has it is proven", proof.proven());
        JsonNode neighbour = neighbour(stage);
        stage.tell(Tone.BAD, "somebody deletes " + path + " with all its versions");
        stage.home("DELETE", "secret/metadata/team/db").expect();
        stage.check(
                "the live cluster has nothing of it",
                stage.home("GET", "secret/metadata/team/db").status() == 404);

        Operator operator = stage.operator();
        Operator.Ran file =
                operator.run(
                        "restore", "--only", path, "--from", proof.id(), "--to", "db.json", PAIR);
        Path recovered = operator.folder().resolve("db.json");
        stage.check(
                "a file for its owner alone has both versions",
                file.exit() == 0
                        && PosixFilePermissions.toString(Files.getPosixFilePermissions(recovered))
                                .equals("rw-------")
                        && Json.MAPPER.readTree(recovered.toFile()).path("versions").size() == 2);
        Operator.Ran back =
                operator.run(
                        "restore",
                        "--only",
                        path,
                        "--from",
                        proof.id(),
                        "--write-back",
                        "--yes-write-back",
                        path,
                        PAIR);
        stage.check(
                "its newest version is back at its path",
                back.exit() == 0
                        && stage.home("GET", "secret/data/team/db")
                                .data()
                                .path("data")
                                .equals(Json.MAPPER.valueToTree(newest)));
        stage.check("its neighbour is as it was", neighbour.equals(neighbour(stage)));
        stage.check(
                "no value was shown", !file.says("the-second-one") && !back.says("the-second-one"));
    }

    /** A secret beside the lost one: its value, its versions and their times. */
    private static JsonNode neighbour(Stage stage) {
        return stage.home("GET", "secret/data/team/api").expect().data();
    }

    private static Proof provenSnapshot(Stage stage) throws Exception {
        return stage.awaitProof(stage.takeSnapshot().id(), Optional.empty());
    }

    private static boolean refuted(Proof proof, Reason reason) {
        return proof.verdict() == Proof.Verdict.REFUTED
                && proof.reason().equals(Optional.of(reason));
    }
}
