import type { Test } from 'tap'
import type { Synthesis } from '../../support/templates.ts'
import { statementsOf } from './statements.ts'

export function schedules(t: Test, { plain, several }: Record<string, Synthesis>) {
  t.test('schedules run in the home region, only if they are set', async (t) => {
    t.strictSame(plain!.listener.all('Scheduler::Schedule', 'ServicesSchedules'), [])
    t.strictSame(several!.listener.all('Scheduler::Schedule', 'ServicesSchedules'), [])
    t.match(several!.home.one('Scheduler::Schedule', 'ServicesSchedules').Properties, {
      ScheduleExpression: 'rate(5 minutes)',
      Target: { RetryPolicy: { MaximumRetryAttempts: 3 } }
    })
    t.match(several!.home.container('Schedules').Command, ['schedules'])
    t.match(several!.home.one('Events::Rule', 'ServicesSchedulesFailed').Properties.EventPattern, {
      detail: { lastStatus: ['STOPPED'] }
    })
  })

  t.test('the task may send events, and write only its own state', async (t) => {
    const statements = statementsOf(several!.home, 'ServicesSchedulesTaskTaskRole')
    const on = (service: string) =>
      statements.filter(({ Action }) => JSON.stringify(Action).includes(`"${service}:`))
    t.match(on('sqs'), [{ Action: 'sqs:SendMessage' }])
    t.match(on('dynamodb'), [
      {
        Action: ['dynamodb:GetItem', 'dynamodb:PutItem'],
        Condition: {
          'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['command/schedules/*'] },
          Null: { 'dynamodb:LeadingKeys': ['false'] }
        }
      }
    ])
    t.match(on('secretsmanager'), [{ Action: 'secretsmanager:GetSecretValue' }])
  })
}
