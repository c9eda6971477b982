import type { Catalogue } from '../catalogue/schema.ts'
import { diagnosisTimeOf, own, type Policy } from './policy.ts'
import { fitOf } from './policy-rules.ts'

/** Whether a column has anything to tell in a release of the policy. */
export function leaves(
  policy: Policy,
  catalogue: Catalogue,
  table: string,
  column: string,
): boolean {
  if (table === 'persons') {
    return column === 'diagnosis_month' && diagnosisTimeOf(policy) !== 'none'
  }
  const spec = own(own(catalogue.tables, table)?.columns ?? {}, column)
  const rule = own(own(policy.tables, table)?.columns ?? {}, column)
  const isRemoved = policy.anchors?.some(
    (anchor) => anchor.table === table && anchor.column === column && anchor.action === 'remove',
  )
  return Boolean(spec && rule && !isRemoved && fitOf(rule).gives(spec.type, policy.dates))
}
