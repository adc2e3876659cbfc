package io.vaultdr.aws;

import io.vaultdr.drill.DrillGroup;
import io.vaultdr.runtime.PairSettings;

import software.amazon.awssdk.services.autoscaling.AutoScalingClient;
import software.amazon.awssdk.services.ssm.SsmClient;
import software.amazon.awssdk.services.ssm.model.InstanceInformation;
import software.amazon.awssdk.services.ssm.model.InstanceInformationStringFilter;
import software.amazon.awssdk.services.ssm.model.PingStatus;

import java.net.URI;
import java.util.Comparator;
import java.util.List;

/**
 * A drill's instances: counted by their Auto Scaling group, addressed by what the agents on them
 * told Systems Manager.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html">DescribeInstanceInformation</a>
 */
public final class DrillInstances implements DrillGroup {
    private final AutoScalingClient autoScaling;
    private final SsmClient ssm;
    private final String group;
    private final PairSettings.Tag tag;
    private final int port;

    /**
     * The instances of {@code group}, which all carry {@code tag}.
     *
     * @param port of the servers' API
     */
    public DrillInstances(
            AutoScalingClient autoScaling,
            SsmClient ssm,
            String group,
            PairSettings.Tag tag,
            int port) {
        this.autoScaling = autoScaling;
        this.ssm = ssm;
        this.group = group;
        this.tag = tag;
        this.port = port;
    }

    @Override
    public void want(int instances) {
        new AutoScalingGroups(autoScaling, group).want(instances);
    }

    @Override
    public int instances() {
        return AwsCalls.read(
                        "read Auto Scaling group " + group,
                        () ->
                                autoScaling.describeAutoScalingGroups(
                                        it -> it.autoScalingGroupNames(group)))
                .autoScalingGroups()
                .stream()
                .mapToInt(it -> it.instances().size())
                .sum();
    }

    @Override
    public List<URI> nodes() {
        InstanceInformationStringFilter tagged =
                InstanceInformationStringFilter.builder()
                        .key("tag:" + tag.key())
                        .values(tag.value())
                        .build();
        return AwsCalls.read(
                        "find the instances with " + tag.key() + "=" + tag.value(),
                        () ->
                                ssm
                                        .describeInstanceInformationPaginator(
                                                it -> it.filters(List.of(tagged)))
                                        .instanceInformationList()
                                        .stream()
                                        .toList())
                .stream()
                // A terminated instance stays listed for a while, with its connection lost.
                .filter(it -> it.pingStatus() == PingStatus.ONLINE && it.ipAddress() != null)
                .sorted(
                        Comparator.comparing(
                                InstanceInformation::registrationDate,
                                Comparator.nullsLast(Comparator.naturalOrder())))
                .map(it -> URI.create("https://" + it.ipAddress() + ":" + port))
                .toList();
    }
}
