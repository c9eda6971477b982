import { z } from 'zod'
import { Refusal } from '../core/errors.ts'
import type { Client } from './client.ts'

const matchRateSchema = z.object({ extraction: z.uuid().nullable() })

/**
 * Fetches the list of the agency's own serials that a linkage linked: CSV, one column `serial`.
 *
 * @param wanted - without a linkage that of the project which has a list.
 * @returns the linkage.
 * @throws {Refusal} `not-found` if there is no list; whatever the service refuses.
 */
export async function fetchExtraction(
  client: Client,
  wanted: { linkage: string } | { project: string },
  path: string,
): Promise<string> {
  const linkage = 'linkage' in wanted ? wanted.linkage : await newest(client, wanted.project)
  await client.save(`/v1/linkages/${encodeURIComponent(linkage)}/extraction`, path)
  return linkage
}

async function newest(client: Client, project: string): Promise<string> {
  const path = `/v1/projects/${encodeURIComponent(project)}/match-rate`
  const { extraction } = await client.ask('GET', path, { schema: matchRateSchema })
  if (extraction) return extraction
  const sentence = 'The project has no list for this agency: not yet, no longer, or by its rules.'
  throw new Refusal('not-found', sentence)
}
