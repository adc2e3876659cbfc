package io.vaultdr.rehearsal.world;

import io.vaultdr.rehearsal.world.Gateway.Message;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * EC2's DescribeInstances for what servers look for: the running instances of a region that carry a
 * tag, with their addresses. Everything else is refused.
 */
final class Ec2 {
    private final Groups groups;
    private final Machines machines;

    Ec2(Groups groups, Machines machines) {
        this.groups = groups;
        this.machines = machines;
    }

    /** Answers the service's calls at {@code gateway}. */
    void join(Gateway gateway) {
        gateway.bridge("ec2", Gateway.ANY, this::answer);
    }

    private Message answer(Call call, byte[] body) {
        Map<String, String> form = Gateway.query(new String(body, StandardCharsets.UTF_8));
        if (!form.getOrDefault("Action", "").equals("DescribeInstances")) {
            return Gateway.failure(
                    call, 400, "InvalidAction", form.get("Action") + " isn't carried out here");
        }
        for (int i = 1; form.containsKey("Filter." + i + ".Name"); i++) {
            String name = form.getOrDefault("Filter." + i + ".Name", "");
            if (!name.startsWith("tag:") && !name.equals("instance-state-name")) {
                return Gateway.failure(
                        call, 400, "InvalidParameterValue", name + " isn't filtered by here");
            }
        }
        List<Instance> found =
                groups.instances().stream()
                        .filter(it -> it.region().equals(call.region()))
                        .filter(it -> machines.runs(it.id()))
                        .filter(it -> matches(it, form))
                        .toList();
        String request = UUID.randomUUID().toString();
        StringBuilder all = new StringBuilder();
        found.forEach(
                it ->
                        all.append("<item><reservationId>r-")
                                .append(it.id().substring(2))
                                .append("</reservationId><instancesSet>")
                                .append(item(it))
                                .append("</instancesSet></item>"));
        return Gateway.xml(
                200,
                "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"
                        + "<requestId>"
                        + request
                        + "</requestId><reservationSet>"
                        + all
                        + "</reservationSet></DescribeInstancesResponse>",
                request);
    }

    /** Whether each filter on a tag has a value of the instance's; those asked for do run. */
    private static boolean matches(Instance instance, Map<String, String> form) {
        for (int i = 1; form.containsKey("Filter." + i + ".Name"); i++) {
            String name = form.getOrDefault("Filter." + i + ".Name", "");
            String value =
                    name.startsWith("tag:") ? instance.tags().get(name.substring(4)) : "running";
            boolean found = false;
            for (int n = 1; form.containsKey("Filter." + i + ".Value." + n); n++) {
                found |= form.getOrDefault("Filter." + i + ".Value." + n, "").equals(value);
            }
            if (!found) {
                return false;
            }
        }
        return true;
    }

    private static String item(Instance instance) {
        String address = instance.address().getHostAddress();
        StringBuilder tags = new StringBuilder();
        instance.tags()
                .forEach(
                        (key, value) ->
                                tags.append("<item><key>")
                                        .append(Gateway.escape(key))
                                        .append("</key><value>")
                                        .append(Gateway.escape(value))
                                        .append("</value></item>"));
        return "<item><instanceId>"
                + instance.id()
                + "</instanceId><instanceState><code>16</code><name>running</name></instanceState>"
                + "<privateIpAddress>"
                + address
                + "</privateIpAddress><placement><availabilityZone>"
                + instance.zone()
                + "</availabilityZone></placement><networkInterfaceSet><item><privateIpAddress>"
                + address
                + "</privateIpAddress></item></networkInterfaceSet><tagSet>"
                + tags
                + "</tagSet></item>";
    }
}
