package io.vaultdr.aws;

import io.vaultdr.failover.Pager;
import io.vaultdr.model.Failure;

import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.sns.SnsClient;

/** Pages through an SNS topic, which people subscribe to by mail, chat or their on-call service. */
public final class SnsPager implements Pager {
    /** SNS refuses subjects of 100 characters and more, line breaks and what isn't ASCII. */
    private static final int SUBJECT = 99;

    private final SnsClient sns;
    private final String topicArn;

    /** Pages through {@code topicArn}. */
    public SnsPager(SnsClient sns, String topicArn) {
        this.sns = sns;
        this.topicArn = topicArn;
    }

    @Override
    public void page(Page page) {
        String subject = page.subject().replaceAll("[^\\x20-\\x7e]", " ");
        try {
            sns.publish(
                    request ->
                            request.topicArn(topicArn)
                                    .subject(
                                            subject.substring(
                                                    0, Math.min(SUBJECT, subject.length())))
                                    .message(
                                            page.text()
                                                    + "\n\nRunbook: docs/runbooks/"
                                                    + page.runbook()
                                                    + ".md\n"));
        } catch (SdkException e) {
            throw new Failure.OutcomeUnknown(
                    "page through " + topicArn,
                    AwsFailures.seen(e),
                    "It is sent again; a page may arrive twice.",
                    e);
        }
    }

    /**
     * {@inheritDoc} Those who haven't confirmed their subscription get none.
     *
     * @see <a
     *     href="https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html">GetTopicAttributes</a>
     */
    @Override
    public int receivers() {
        return AwsCalls.read(
                "look at " + topicArn,
                () ->
                        Integer.parseInt(
                                sns.getTopicAttributes(request -> request.topicArn(topicArn))
                                        .attributes()
                                        .getOrDefault("SubscriptionsConfirmed", "0")));
    }
}
