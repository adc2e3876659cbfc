package io.vaultdr.rehearsal.world;

import java.net.InetAddress;
import java.util.Map;

/**
 * An EC2 instance that an Auto Scaling group has launched.
 *
 * @param zone its Availability Zone
 * @param address its own address, in place of the private one in its subnet
 * @param tags those that the group and its launch template give it
 * @param image what it was launched from
 */
public record Instance(
        String id,
        String region,
        String zone,
        String group,
        InetAddress address,
        Map<String, String> tags,
        String image) {}
