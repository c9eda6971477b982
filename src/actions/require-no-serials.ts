import { catalogueSchema } from '../catalogue/schema.ts'
import { Refusal } from '../core/errors.ts'
import { policySchema, releasedColumns } from '../core/policy.ts'
import type { CohortPart } from '../store/cohorts.ts'
import type { Project } from '../store/projects.ts'
import type { Release } from '../store/releases.ts'

/**
 * No column leaves in whose texts serials stand. @throws {Refusal} `identifier-in-payload` naming table, column and rows.
 */
export function requireNoSerials(
  project: Project,
  release: Release,
  parts: readonly CohortPart[],
): void {
  const policy = policySchema.parse(release.policy)
  const catalogue = catalogueSchema.parse(project.catalogue)
  for (const { table, serialIn } of parts) {
    if (!Object.hasOwn(policy.tables, table)) continue
    const leaving = releasedColumns(policy, catalogue, table)
    const found = leaving.find(
      ({ name, rule }) => rule.rule !== 'rekey' && Object.hasOwn(serialIn, name),
    )
    if (!found) continue
    throw new Refusal(
      'identifier-in-payload',
      'A column of the release holds serials of its agency. Drop the column, or let the agency correct it.',
      { table, column: found.name, rows: serialIn[found.name] ?? 0 },
    )
  }
}
