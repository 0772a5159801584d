import type { Settings } from '../../infra/settings.ts'
import type { Traffic } from './traffic.ts'

/** How many tasks of each role a rate asks for; fractions of a task, and less than the minimum, included. */
export interface Tasks {
  web: number
  /** The larger of the two below. */
  worker: number
  /** By the CPU that events take. */
  workerByCpu: number
  /** By how many events are in flight, which wait for Cloudinary most of the time. */
  workerByConcurrency: number
}

/** CPU units of Fargate that make a vCPU. */
const UNITS = 1024

/** CPU time of the worker for an average event, in milliseconds. */
export const workerCpuMs = ({ ownShare, processedCpuMs, ignoredCpuMs }: Traffic): number =>
  (1 - ownShare) * processedCpuMs + ownShare * ignoredCpuMs

/** How many tasks it takes to have so many events a second, with each task no more loaded than `cpuTarget`. */
export function tasksFor(
  eventsPerSecond: number,
  { web, worker }: Pick<Settings, 'web' | 'worker'>,
  traffic: Traffic
): Tasks {
  const { eventsPerNotification, webCpuMs, cpuTarget, ownShare, cloudinaryCalls, cloudinaryMs } = traffic
  const coresOf = ({ cpu }: { cpu: number }) => (cpu / UNITS) * cpuTarget
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

/** Whole tasks, and no less than the settings keep. */
export function wholeTasks(tasks: Tasks, { web, worker }: Pick<Settings, 'web' | 'worker'>) {
  return {
    web: Math.max(web.minimumTasks, Math.ceil(tasks.web)),
    worker: Math.max(worker.minimumTasks, Math.ceil(tasks.worker))
  }
}
