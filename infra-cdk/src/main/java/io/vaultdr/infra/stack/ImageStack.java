package io.vaultdr.infra.stack;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Config.Artifact;
import io.vaultdr.infra.config.Config.Cluster;
import io.vaultdr.infra.config.Config.Made;
import io.vaultdr.infra.config.Config.Network;
import io.vaultdr.infra.config.Config.Pair;
import io.vaultdr.infra.config.Config.Server;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.config.NodeSettings;
import io.vaultdr.infra.config.PairSettingsMaker;
import io.vaultdr.infra.construct.Buckets;
import io.vaultdr.infra.construct.Networks;
import io.vaultdr.infra.construct.Pages;
import io.vaultdr.infra.image.ImageContent;
import io.vaultdr.infra.image.NodeImage;

import software.amazon.awscdk.App;
import software.amazon.awscdk.services.ec2.IVpc;
import software.amazon.awscdk.services.events.EventPattern;
import software.amazon.awscdk.services.events.Match;
import software.amazon.awscdk.services.s3.BucketEncryption;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Makes the image that a pair's nodes start from, in the DR region where there is one, for all
 * regions that nodes start in. Sides that run the same server share an image; while an upgrade has
 * one ahead, each has its own.
 *
 * <p>Its programs come from the servers' bucket of the Proof stack where there is one in this
 * region, else from a bucket of its own.
 */
public final class ImageStack extends VaultDrStack {
    private final Pair pair;
    private final Names names;
    private final String region;
    private final Pages pages;

    public ImageStack(App app, String name, Config config, Pair pair) {
        super(
                app,
                name,
                config,
                place(pair),
                "The image that " + pair.id() + "'s nodes start from",
                false);
        this.pair = pair;
        this.names = PairSettingsMaker.names(config, pair);
        this.region = place(pair);
        this.pages = Pages.named(this, names.pagesArn(region));
        String programs = programs();
        // The one for this region first; where both are the same it is for both.
        Map<Server, List<String>> images = new LinkedHashMap<>();
        made().sorted(
                        (a, b) ->
                                Boolean.compare(
                                        b.region().equals(region), a.region().equals(region)))
                .forEach(
                        cluster ->
                                images.computeIfAbsent(
                                                cluster.made().orElseThrow().server(),
                                                server -> new ArrayList<>())
                                        .add(cluster.region()));
        Networks networks = new Networks(this);
        images.forEach(
                (server, regions) ->
                        image(
                                regions.contains(region) ? "" : "-" + regions.getFirst(),
                                content(server, programs),
                                regions,
                                networks));
    }

    /** Where a pair's image is made. */
    private static String place(Pair pair) {
        return pair.dr().map(Cluster::region).orElse(pair.home().region());
    }

    private Stream<Cluster> made() {
        return pair.madeSides().stream().map(pair::cluster);
    }

    /** The bucket of programs that name none. */
    private String programs() {
        if (pair.proving().isPresent()
                && pair.copyAccount().isEmpty()
                && pair.proofRegion().equals(region)) {
            return names.servers(region);
        }
        String own = names.of("image-" + names.account() + "-" + region);
        if (made().map(cluster -> cluster.made().orElseThrow())
                .map(Made::server)
                .flatMap(
                        server ->
                                Stream.concat(
                                        Stream.of(server.binary()), server.sealPlugin().stream()))
                .anyMatch(artifact -> artifact.bucket().isEmpty())) {
            // Public binaries, checked by their hash: nothing that wants a key.
            Buckets.build(
                    Buckets.builder(this, "Programs", own).encryption(BucketEncryption.S3_MANAGED));
        }
        return own;
    }

    private ImageContent content(Server server, String programs) {
        return new ImageContent(
                pair.edition(),
                pair.service().unit(),
                pair.service().dataDirectory(),
                pair.auditFile(),
                server.version().toString(),
                in(programs, server.binary()),
                server.sealPlugin().map(plugin -> in(programs, plugin)),
                NodeSettings.PLUGIN);
    }

    private static Artifact in(String programs, Artifact artifact) {
        return new Artifact(
                artifact.bucket().or(() -> Optional.of(programs)),
                artifact.key(),
                artifact.sha256());
    }

    private void image(
            String suffix, ImageContent content, List<String> regions, Networks networks) {
        Network network = pair.dr().orElse(pair.home()).network();
        IVpc vpc = networks.vpc(network);
        NodeImage image =
                new NodeImage(
                        this,
                        "Image" + suffix,
                        new NodeImage.Props(
                                names,
                                names.of("image" + suffix),
                                region,
                                regions,
                                names.image(),
                                content,
                                vpc,
                                network.subnets().isEmpty()
                                        ? vpc.getPrivateSubnets().getFirst().getSubnetId()
                                        : network.subnets().getFirst()));
        pages.onEvent(
                this,
                "Failed" + suffix,
                names.of("image-failed" + suffix),
                failed(image.recipeName()),
                "An image of "
                        + pair.id()
                        + "'s nodes could not be made: nodes go on starting from the one before.",
                "image-failed");
    }

    private EventPattern failed(String recipe) {
        return EventPattern.builder()
                .source(List.of("aws.imagebuilder"))
                .detailType(List.of("EC2 Image Builder Image State Change"))
                // Followed by version and build.
                .resources(Match.prefix(names.arn("imagebuilder", region, "image/" + recipe) + "/"))
                .detail(
                        new TreeMap<>(
                                Map.of("state", Map.of("status", List.of("FAILED", "CANCELLED")))))
                .build();
    }
}
