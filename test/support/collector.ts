import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as readText } from 'node:stream/consumers'

/** A span as the collector received it. */
export interface ReceivedSpan {
  traceId: string
  spanId: string
  /** Empty for a root. */
  parentSpanId: string
  name: string
  kind: 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER'
  attributes: Record<string, unknown>
  links: { traceId: string; spanId: string }[]
  status: { code: number; message: string }
  milliseconds: number
  /** The attributes of its resource. */
  resource: Record<string, unknown>
}

const KINDS = ['INTERNAL', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const

export interface Collector {
  /** Without a path. */
  url: string
  spans: ReceivedSpan[]
  /** Method, path and content type of each request. */
  requests: { method: string; path: string; type: string; authorization: string }[]
  /** How it answers. (Default: 200) */
  answer: (response: ServerResponse) => void
  stop: () => Promise<void>
}

/** Starts a stand-in for an OpenTelemetry collector: receives OTLP over HTTP, as protobuf. */
export async function startCollector(): Promise<Collector> {
  const spans: ReceivedSpan[] = []
  const requests: Collector['requests'] = []
  const collector = { spans, requests, answer: (response: ServerResponse) => void response.end() }
  const server = createServer(async (request, response) => {
    request.setEncoding('latin1')
    const body = Buffer.from(await readText(request), 'latin1')
    const { 'content-type': type = '', authorization = '' } = request.headers
    requests.push({ method: request.method!, path: request.url!, type, authorization })
    spans.push(...decodeTraces(body))
    collector.answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(collector, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })
}

/** The fields of a message by number: numbers for varints, bytes for the rest. */
type Fields = Map<number, (Buffer | bigint)[]>

/** Source: https://protobuf.dev/programming-guides/encoding/ */
function fieldsOf(bytes: Buffer): Fields {
  const fields: Fields = new Map()
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const take = (length: number) => {
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const read = { 0: varint, 1: () => take(8), 2: () => take(Number(varint())), 5: () => take(4) }[tag & 7]
    if (!read) throw new Error(`wire type ${tag & 7} is not supported`)
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), read()])
  }
  return fields
}

const all = (fields: Fields, number: number) => (fields.get(number) ?? []) as Buffer[]
const bytesOf = (fields: Fields, number: number) => all(fields, number)[0] ?? Buffer.alloc(0)
const textOf = (fields: Fields, number: number) => bytesOf(fields, number).toString()
const hexOf = (fields: Fields, number: number) => bytesOf(fields, number).toString('hex')
const numberOf = (fields: Fields, number: number) => Number(fields.get(number)?.[0] ?? 0)

/**
 * Decodes an ExportTraceServiceRequest.
 * Source: https://github.com/open-telemetry/opentelemetry-proto/blob/v1.5.0/opentelemetry/proto/trace/v1/trace.proto
 */
function decodeTraces(body: Buffer): ReceivedSpan[] {
  return all(fieldsOf(body), 1).flatMap((resourceSpans) => {
    const fields = fieldsOf(resourceSpans)
    const resource = attributesOf(fieldsOf(bytesOf(fields, 1)), 1)
    return all(fields, 2)
      .flatMap((scopeSpans) => all(fieldsOf(scopeSpans), 2))
      .map((span) => ({ ...decodeSpan(fieldsOf(span)), resource }))
  })
}

function decodeSpan(span: Fields): Omit<ReceivedSpan, 'resource'> {
  const status = fieldsOf(bytesOf(span, 15))
  const [start, end] = [7, 8].map((number) => bytesOf(span, number).readBigUInt64LE())
  return {
    traceId: hexOf(span, 1),
    spanId: hexOf(span, 2),
    parentSpanId: hexOf(span, 4),
    name: textOf(span, 5),
    kind: KINDS[numberOf(span, 6)]!,
    attributes: attributesOf(span, 9),
    links: all(span, 13)
      .map(fieldsOf)
      .map((link) => ({ traceId: hexOf(link, 1), spanId: hexOf(link, 2) })),
    status: { code: numberOf(status, 3), message: textOf(status, 2) },
    milliseconds: Number(end! - start!) / 1e6
  }
}

const attributesOf = (fields: Fields, number: number): Record<string, unknown> =>
  Object.fromEntries(
    all(fields, number)
      .map(fieldsOf)
      .map((pair) => [textOf(pair, 1), decodeValue(fieldsOf(bytesOf(pair, 2)))])
  )

function decodeValue(value: Fields): unknown {
  if (value.has(1)) return textOf(value, 1)
  if (value.has(2)) return numberOf(value, 2) === 1
  if (value.has(3)) return Number(BigInt.asIntN(64, value.get(3)![0] as bigint))
  if (value.has(4)) return bytesOf(value, 4).readDoubleLE()
  return all(fieldsOf(bytesOf(value, 5)), 1).map((element) => decodeValue(fieldsOf(element)))
}
