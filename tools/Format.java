import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import com.google.googlejavaformat.java.JavaFormatterOptions;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Checks or applies google-java-format (AOSP style) over every Java file of the project; Maven runs
 * it at validate. Its own command line takes no folders, and running inside Maven would parse with
 * Maven's JDK, which may be older than the sources.
 */
final class Format {
    private static final Set<String> SKIPPED =
            Set.of("target", "node_modules", "cdk.out", ".git", ".vault-dr");

    private static final Formatter FORMATTER =
            new Formatter(
                    JavaFormatterOptions.builder().style(JavaFormatterOptions.Style.AOSP).build());

    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 2 || !Set.of("check", "apply").contains(arguments[0])) {
            System.err.println(
                    "format: read '"
                            + String.join(" ", arguments)
                            + "', expected -Dformat=check or -Dformat=apply");
            System.exit(2);
        }
        boolean apply = arguments[0].equals("apply");
        Path root = Path.of(arguments[1]);
        List<String> wrong =
                sources(root).parallelStream()
                        .map(file -> format(root, file, apply))
                        .filter(line -> !line.isEmpty())
                        .sorted()
                        .toList();
        if (apply || wrong.isEmpty()) {
            wrong.forEach(line -> System.out.println("formatted " + line));
            return;
        }
        wrong.forEach(line -> System.err.println("not formatted: " + line));
        System.err.println("To format them, run: mvn -pl tools validate -Dformat=apply");
        System.exit(1);
    }

    private static List<Path> sources(Path root) throws IOException {
        List<Path> found = new ArrayList<>();
        Files.walkFileTree(
                root,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes is) {
                        return SKIPPED.contains(dir.getFileName().toString())
                                ? FileVisitResult.SKIP_SUBTREE
                                : FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes is) {
                        if (file.toString().endsWith(".java")) {
                            found.add(file);
                        }
                        return FileVisitResult.CONTINUE;
                    }
                });
        return found;
    }

    /**
     * The file's name if it wasn't formatted, and what is wrong if it can't be; otherwise empty.
     */
    private static String format(Path root, Path file, boolean apply) {
        String name = root.relativize(file).toString();
        try {
            String source = Files.readString(file);
            String formatted = FORMATTER.formatSourceAndFixImports(source);
            // Wrapping a long string can leave something for the next pass.
            String before = source;
            for (int pass = 1; apply && pass < 5 && !formatted.equals(before); pass++) {
                before = formatted;
                formatted = FORMATTER.formatSourceAndFixImports(before);
            }
            if (formatted.equals(source)) {
                return "";
            }
            if (apply) {
                Files.writeString(file, formatted);
            }
            return name;
        } catch (FormatterException e) {
            return name + ": " + e.getMessage().lines().findFirst().orElse("can't be parsed");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Format() {}
}
