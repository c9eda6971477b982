import type { Catalogue } from '../catalogue/schema.ts'
import { type Policy, releasedColumns } from '../core/policy.ts'
import type { MeasuredTable } from '../engine/person-values.ts'
import type { Cuts } from '../engine/write-release-persons.ts'

/** The tables of these names, but for that of persons, with their parts and what the policy makes of them. */
export async function knownTables(
  from: { policy: Policy; catalogue: Catalogue; filesOf: (table: string) => Promise<string[]> },
  names: readonly string[],
  found: Cuts,
): Promise<Record<string, MeasuredTable>> {
  const { policy, catalogue, filesOf } = from
  const tables: [string, MeasuredTable][] = []
  for (const name of new Set(names)) {
    if (name === 'persons') continue
    const table = catalogue.tables[name]
    if (!table) throw new Error('a measured table that the catalogue does not have')
    const columns = releasedColumns(policy, catalogue, name)
    const where = policy.tables[name]?.where
    const rules = { dates: policy.dates, cuts: found[name] ?? {} }
    tables.push([
      name,
      { files: await filesOf(name), table, columns, rules, ...(where && { where }) },
    ])
  }
  return Object.fromEntries(tables)
}
