import type { Template } from '../../support/templates.ts'

export interface Statement {
  Action: string | string[]
  Effect: string
  Condition?: unknown
  Resource: unknown
}

/** Returns the statements of the policies of a role. */
export function statementsOf(template: Template, role: string): Statement[] {
  const { id } = template.one('IAM::Role', role)
  return template
    .all('IAM::Policy')
    .filter(({ Properties }) => JSON.stringify(Properties.Roles) === JSON.stringify([{ Ref: id }]))
    .flatMap(
      ({ Properties }) => (Properties.PolicyDocument as unknown as { Statement: Statement[] }).Statement
    )
}
