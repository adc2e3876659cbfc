package io.vaultdr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;

import org.junit.jupiter.api.Test;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The arrows between packages, as {@code docs/architecture.md} draws them. An arrow that isn't in
 * the table fails here: draw it there, or leave it out.
 */
class LayoutTest {
    private static final String ROOT = "io.vaultdr.";

    /** What puts all together and is used only by handlers: {@code runtime.Wiring} and friends. */
    private static final String WIRING = "wiring";

    private static final Set<String> ALL =
            Set.of(
                    "model",
                    "runtime",
                    "snapshot",
                    "failover",
                    "promotion",
                    "traffic",
                    "workflow",
                    "drill",
                    "cluster",
                    "vault",
                    "doctor",
                    "aws");

    /** Who may use whom. */
    private static final Map<String, Set<String>> ARROWS =
            Map.ofEntries(
                    Map.entry("model", Set.of()),
                    Map.entry("runtime", Set.of("model")),
                    Map.entry("vault", Set.of("model", "runtime")),
                    Map.entry("snapshot", Set.of("model", "runtime", "vault")),
                    Map.entry("failover", Set.of("model", "runtime", "vault", "snapshot")),
                    Map.entry("traffic", Set.of("model", "runtime")),
                    Map.entry(
                            "promotion",
                            Set.of("model", "runtime", "vault", "snapshot", "failover", "traffic")),
                    Map.entry(
                            "workflow",
                            union(ALL, "aws", "workflow", "drill", "cluster", "doctor")),
                    Map.entry(
                            "doctor", union(ALL, "aws", "workflow", "drill", "cluster", "doctor")),
                    Map.entry(
                            "drill",
                            Set.of(
                                    "model",
                                    "runtime",
                                    "vault",
                                    "snapshot",
                                    "failover",
                                    "promotion")),
                    Map.entry(
                            "cluster", Set.of("model", "runtime", "vault", "snapshot", "failover")),
                    Map.entry("aws", union(ALL, "aws", "doctor")),
                    Map.entry("handler", union(with(ALL, WIRING))));

    private static final JavaClasses CLASSES =
            new ClassFileImporter()
                    .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                    .importPackages("io.vaultdr");

    @Test
    void everyArrowBetweenPackagesIsDrawn() {
        Map<String, Set<String>> undrawn = new TreeMap<>();
        for (JavaClass origin : CLASSES) {
            for (Dependency dependency : origin.getDirectDependenciesFromSelf()) {
                String from = part(origin);
                String to = part(dependency.getTargetClass());
                if (from.isEmpty() || to.isEmpty() || from.equals(to) || from.equals(WIRING)) {
                    continue;
                }
                if (!ARROWS.getOrDefault(from, Set.of()).contains(to)) {
                    undrawn.computeIfAbsent(from + " → " + to, arrow -> new TreeSet<>())
                            .add(
                                    origin.getSimpleName()
                                            + " uses "
                                            + dependency.getTargetClass().getSimpleName());
                }
            }
        }
        assertEquals(Map.of(), undrawn, "arrows that docs/architecture.md doesn't draw");
    }

    @Test
    void theDrawnArrowsMakeNoCircle() {
        ARROWS.keySet().forEach(start -> assertTrue(!reaches(start).contains(start), start));
    }

    /** The SDK stays behind adapters, so that capabilities speak their own words. */
    @Test
    void onlyAdaptersAndWiringKnowTheAwsSdk() {
        ArchRuleDefinition.noClasses()
                .that()
                .resideInAnyPackage(
                        ROOT + "model..",
                        ROOT + "snapshot..",
                        ROOT + "failover..",
                        ROOT + "promotion..",
                        ROOT + "traffic..",
                        ROOT + "workflow..",
                        ROOT + "drill..",
                        ROOT + "doctor..",
                        ROOT + "cluster..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("software.amazon.awssdk..", "com.amazonaws..")
                .check(CLASSES);
    }

    /** A handler chooses and hands over; what it decides is somebody else's. */
    @Test
    void nothingUsesAHandler() {
        ArchRuleDefinition.noClasses()
                .that()
                .resideOutsideOfPackage(ROOT + "handler..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage(ROOT + "handler..")
                .check(CLASSES);
    }

    private static Set<String> reaches(String start) {
        Set<String> reached = new HashSet<>();
        List<String> next = List.copyOf(ARROWS.getOrDefault(start, Set.of()));
        for (String part : next) {
            if (reached.add(part)) {
                reached.addAll(reaches(part));
            }
        }
        return reached;
    }

    private static String part(JavaClass type) {
        String name = type.getPackageName();
        if (!name.startsWith(ROOT)) {
            return "";
        }
        String part = name.substring(ROOT.length()).replaceAll("\\..*", "");
        boolean wires =
                type.getSimpleName().startsWith("Wiring")
                        || type.getName().startsWith(ROOT + "runtime.Wiring");
        return part.equals("runtime") && wires ? WIRING : part;
    }

    private static Set<String> union(Set<String> all, String... without) {
        Set<String> some = new HashSet<>(all);
        some.removeAll(Set.of(without));
        return some;
    }

    private static Set<String> with(Set<String> all, String one) {
        Set<String> more = new HashSet<>(all);
        more.add(one);
        return more;
    }
}
