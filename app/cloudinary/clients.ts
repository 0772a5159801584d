import { type Agent, Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { type CloudinaryEnvironment, hostOf } from '../credentials/cloudinary-url.ts'
import type { Asset } from '../ingest/event.ts'
import { Breaker, type BreakerState } from './breaker.ts'
import { CloudinaryClient } from './client.ts'
import type { IdentifiedAsset } from './identified-asset.ts'
import { type CloudinarySdk, loadSdk } from './sdk.ts'

export interface CloudinaryClientsOptions {
  environments: { get: (cloudName: string) => CloudinaryEnvironment; cloudNames: () => readonly string[] }
  /** How long a call may take, in milliseconds. */
  timeoutMs?: number
  clock?: () => number
  random?: () => number
  /** Told when the calls to a cloud are stopped and when they go on. */
  onChange?: (cloudName: string, state: BreakerState) => void
}

const KEEP_ALIVE = { keepAlive: true, keepAliveMsecs: 10_000, maxFreeSockets: 64 }

/**
 * Makes clients for environments. They share the SDK, and an agent for each scheme, which keeps the connections of each
 * host apart. Credentials, host and circuit breaker belong to the environment.
 */
export class CloudinaryClients {
  readonly #options: CloudinaryClientsOptions
  readonly #sdk: CloudinarySdk
  readonly #agents: Record<'http' | 'https', Agent> = {
    http: new HttpAgent(KEEP_ALIVE),
    https: new HttpsAgent(KEEP_ALIVE)
  }
  readonly #breakers = new Map<string, Breaker>()
  readonly #identities = new WeakMap<Asset, IdentifiedAsset>()

  constructor(options: CloudinaryClientsOptions) {
    this.#options = options
    this.#sdk = loadSdk()
  }

  /** A client for one environment, whose calls all end when `signal` aborts. */
  for(cloudName: string, signal: AbortSignal): CloudinaryClient {
    const environment = this.#options.environments.get(cloudName)
    return new CloudinaryClient({
      environment,
      sdk: this.#sdk,
      agent: this.#agents[hostOf(environment).startsWith('http:') ? 'http' : 'https'],
      signal,
      timeoutMs: this.#options.timeoutMs ?? 30_000,
      breaker: this.breaker(cloudName),
      identities: this.#identities,
      clock: this.#options.clock ?? Date.now
    })
  }

  breaker(cloudName: string): Breaker {
    const known = this.#breakers.get(cloudName)
    if (known) return known
    const { clock, random, onChange } = this.#options
    const breaker = new Breaker({
      ...(clock && { clock }),
      ...(random && { random }),
      ...(onChange && { onChange: (state) => onChange(cloudName, state) })
    })
    this.#breakers.set(cloudName, breaker)
    return breaker
  }

  /** How many events may run side by side now, by the environment that fares best. */
  get capacity(): number {
    return Math.max(...this.#options.environments.cloudNames().map((name) => this.breaker(name).capacity))
  }

  /** Whether the calls to some environment are stopped now. */
  get isAnyStopped(): boolean {
    return [...this.#breakers.values()].some(({ isClosed }) => !isClosed)
  }

  /** Closes the connections that are kept open. */
  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy()
  }
}
