import type { Agent } from 'node:http'
import { apiBaseUrl, type CloudinaryEnvironment } from '../credentials/cloudinary-url.ts'
import { http, https } from '../http-modules.ts'
import type { Asset } from '../ingest/event.ts'
import type { Tracing } from '../tracing/tracing.ts'
import { Breaker, type BreakerState } from './breaker.ts'
import { CloudinaryClient } from './client.ts'
import type { IdentifiedAsset } from './identified-asset.ts'
import { type CloudinarySdk, loadSdk } from './sdk.ts'

export interface CloudinaryClientsOptions {
  environments: { get: (cloudName: string) => CloudinaryEnvironment; cloudNames: () => readonly string[] }
  /** Timeout of a call, in milliseconds. (Default: 30,000) */
  timeoutMs?: number
  tracing?: Tracing | undefined
  clock?: () => number
  random?: () => number
  /** Called when the circuit breaker of a cloud opens or closes. */
  onChange?: (cloudName: string, state: BreakerState) => void
}

const KEEP_ALIVE = { keepAlive: true, keepAliveMsecs: 10_000, maxFreeSockets: 64 }

/**
 * Creates clients for environments. All share the SDK, and one agent per scheme, which keeps separate
 * connections for each host. Credentials, API URL and circuit breaker belong to the environment.
 */
export class CloudinaryClients {
  readonly #options: CloudinaryClientsOptions
  readonly #sdk: CloudinarySdk
  readonly #agents: Record<'http' | 'https', Agent> = {
    http: new http.Agent(KEEP_ALIVE),
    https: new https.Agent(KEEP_ALIVE)
  }
  readonly #breakers = new Map<string, Breaker>()
  readonly #identities = new WeakMap<Asset, IdentifiedAsset>()

  constructor(options: CloudinaryClientsOptions) {
    this.#options = options
    this.#sdk = loadSdk()
  }

  /** Creates a client for one environment. `signal` aborts its calls. */
  for(cloudName: string, signal: AbortSignal): CloudinaryClient {
    const environment = this.#options.environments.get(cloudName)
    return new CloudinaryClient({
      environment,
      sdk: this.#sdk,
      agent: this.#agents[apiBaseUrl(environment).startsWith('http:') ? 'http' : 'https'],
      signal,
      timeoutMs: this.#options.timeoutMs ?? 30_000,
      breaker: this.breaker(cloudName),
      identities: this.#identities,
      tracing: this.#options.tracing,
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

  /** Number of events that may run concurrently now in the environment with the most capacity. */
  get capacity(): number {
    return Math.max(...this.#options.environments.cloudNames().map((name) => this.breaker(name).capacity))
  }

  /** True if the circuit breaker of any environment is open. */
  get isAnyBreakerOpen(): boolean {
    return [...this.#breakers.values()].some(({ isClosed }) => !isClosed)
  }

  /** Closes idle connections. */
  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy()
  }
}
