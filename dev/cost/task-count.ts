import type { Settings } from '../../infra/settings.ts'
import type { Traffic } from './traffic.ts'

/** Tasks that a rate takes, as fractions and without a minimum. */
export interface Tasks {
  web: number
  /** The larger of the two below. */
  worker: number
  /** Worker tasks by CPU time. */
  workerByCpu: number
  /** Worker tasks by events in flight, which mostly wait for Cloudinary. */
  workerByConcurrency: number
}

/** Returns the CPU time of the worker for an average event. */
const workerCpuMs = ({ ownShare, processedCpuMs, ignoredCpuMs }: Traffic): number =>
  (1 - ownShare) * processedCpuMs + ownShare * ignoredCpuMs

/** Returns the tasks for a number of events a second, each loaded up to `cpuTarget`. */
export function tasksFor(
  eventsPerSecond: number,
  { web, worker }: Pick<Settings, 'web' | 'worker'>,
  traffic: Traffic
): Tasks {
  const { eventsPerNotification, webCpuMs, cpuTarget, ownShare, cloudinaryCalls, cloudinaryMs } = traffic
  const coresOf = ({ cpu }: { cpu: number }) => (cpu / 1024) * cpuTarget
  const webCores = ((eventsPerSecond / eventsPerNotification) * webCpuMs) / 1000
  const workerCores = (eventsPerSecond * workerCpuMs(traffic)) / 1000
  const inFlight = (eventsPerSecond * (1 - ownShare) * cloudinaryCalls * cloudinaryMs) / 1000
  const workerByCpu = workerCores / coresOf(worker.size)
  const workerByConcurrency = inFlight / (worker.concurrency * cpuTarget)
  return {
    web: webCores / coresOf(web.size),
    worker: Math.max(workerByCpu, workerByConcurrency),
    workerByCpu,
    workerByConcurrency
  }
}

/** Rounds up to whole tasks, and to the minimum of the settings. */
export function wholeTasks(tasks: Tasks, { web, worker }: Pick<Settings, 'web' | 'worker'>) {
  return {
    web: Math.max(web.minimumTasks, Math.ceil(tasks.web)),
    worker: Math.max(worker.minimumTasks, Math.ceil(tasks.worker))
  }
}
