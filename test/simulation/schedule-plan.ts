import type { Fleet } from './fleet.ts'
import type { CloudinaryModel } from './models/cloudinary.ts'
import type { Operators } from './operators.ts'
import type { Dependencies } from './parts.ts'
import { MINUTE_MS } from './plan.ts'

/** Schedules what the plan says of users, operators, processes and keys. */
export function schedulePlan(
  { plan, scheduler, ledger, secret }: Dependencies,
  cloudinary: CloudinaryModel,
  fleet: Fleet,
  operators: Operators
): void {
  const { changes, commands, processFaults, forgeries, rotations } = plan
  const at = (time: number, label: string, run: () => void) => scheduler.at(time, undefined, label, run)
  for (const change of changes) at(change.at, 'change', () => cloudinary.change(change))
  for (const command of commands) at(command.at, 'command', () => operators.run(command))
  for (const fault of processFaults) {
    at(fault.at, fault.kind, () => fleet.injectFault(fault.process, fault.kind, fault.seconds))
  }
  for (const { at: time, cloud, kind } of forgeries) {
    at(time, 'forgery', () =>
      fleet.post(
        cloudinary.forge(cloud, kind),
        (status) => {
          if (status === 200)
            ledger.violated('2 verified before parsed', `a notification that is ${kind} was accepted`)
        },
        0
      )
    )
  }
  for (const { at: time, cloud } of rotations) {
    at(time, 'rotation', () => {
      ledger.tell(`a new key of ${cloud} is in the secret`)
      secret.rotate(cloud, cloudinary.addKey(cloud))
    })
    // both keys stay active for as long as a refresh takes
    at(time + 10 * MINUTE_MS, 'rotation', () => {
      ledger.tell(`the old key of ${cloud} is disabled`)
      cloudinary.disableOldKey(cloud)
    })
  }
}
