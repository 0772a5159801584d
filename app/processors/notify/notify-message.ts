import type { PublishCommandInput } from '@aws-sdk/client-sns'
import { PermanentError } from '../../errors.ts'
import type { AssetEvent } from '../../ingest/event.ts'
import { messageId } from '../message-id.ts'
import { fitSms, fitSubject, fitTopic, printable } from './sns-limits.ts'
import type { Render } from './text-template.ts'

/** E.164: plus sign, country code, number. */
export const PHONE_NUMBER = /^\+[1-9]\d{6,14}$/

type Attributes = NonNullable<PublishCommandInput['MessageAttributes']>

/**
 * Builds the message for a topic. Subscriptions can filter by the attributes `type`, `environment` and those
 * given.
 */
export function publication(
  event: AssetEvent,
  text: string,
  options: {
    topicArn: string
    /** Name of the processor. */
    name: string
    subject?: Render | undefined
    attributes: Readonly<Record<string, Render>>
  }
): PublishCommandInput {
  const { topicArn, name, subject, attributes } = options
  const { type, environment } = event
  const given = attributesOf({ type: () => type, environment: () => environment, ...attributes }, event)
  const line = fitSubject(subject?.(event) ?? '')
  return {
    TopicArn: topicArn,
    Message: fitTopic(text, bytesOf(given)),
    MessageAttributes: given,
    ...(line && { Subject: line }),
    ...(topicArn.endsWith('.fifo') && {
      MessageGroupId: event.group,
      MessageDeduplicationId: messageId(event, name)
    })
  }
}

/**
 * Builds the message for a phone.
 *
 * @throws {PermanentError} NOTIFY_REJECTED for an invalid phone number, which the error does not repeat
 */
export function textMessage(
  event: AssetEvent,
  text: string,
  { to, attributes }: { to: string; attributes: Readonly<Record<string, Render>> }
): PublishCommandInput {
  if (!PHONE_NUMBER.test(to)) {
    throw new PermanentError('`phoneNumber` must return a phone number such as +14155550100', {
      code: 'NOTIFY_REJECTED'
    })
  }
  return { PhoneNumber: to, Message: fitSms(text), MessageAttributes: attributesOf(attributes, event) }
}

/** Leaves out empty attributes, which SNS rejects. */
function attributesOf(attributes: Readonly<Record<string, Render>>, event: AssetEvent): Attributes {
  const values = Object.entries(attributes).map(
    ([name, render]) => [name, printable(render(event) ?? '')] as const
  )
  return Object.fromEntries(
    values
      .filter(([, value]) => value !== '')
      .map(([name, value]) => [name, { DataType: 'String', StringValue: value }])
  )
}

function bytesOf(attributes: Attributes): number {
  const parts = Object.entries(attributes).flatMap(([name, { DataType, StringValue }]) => [
    name,
    DataType,
    StringValue
  ])
  return Buffer.byteLength(parts.join(''))
}
