/** The agencies' part of the demonstration: each prepares a delivery from its own files, uploads and submits it. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Client } from '../../agency/client.ts'
import { submit } from '../../agency/submit.ts'
import { askJson } from '../https-json.ts'
import { type AgencyName, agencyNames, prepareAt } from './agencies.ts'
import { type People, untilDone } from './people.ts'
import type { DemoReport } from './report.ts'

export type OnProgress = (done: number, total: number) => void

/** Who takes part, and in what. */
export type Cast = {
  people: People
  clients: Record<AgencyName, Client>
  agenciesKey: Uint8Array
  project: string
}

type Places = { populationDir: string; workDir: string }

/** Prepares every delivery. @returns agency → where its delivery lies. */
export async function prepareAll(
  job: Places,
  cast: Cast,
  onProgress: OnProgress,
): Promise<Record<string, string>> {
  const dirs: Record<string, string> = {}
  for (const [index, agency] of agencyNames.entries()) {
    const outDir = join(job.workDir, 'deliveries', agency)
    await mkdir(join(job.workDir, 'deliveries'), { recursive: true })
    await prepareAt({
      agency,
      client: cast.clients[agency],
      project: cast.project,
      agenciesKey: cast.agenciesKey,
      sourceDir: join(job.populationDir, agency),
      outDir,
      onProgress: (done, total) => onProgress(index + done / total, agencyNames.length),
    })
    dirs[agency] = outDir
  }
  return dirs
}

const deliverySchema = z.object({
  state: z.string(),
  parts: z.array(z.object({ table: z.string(), rowsTaken: z.number().nullable() })),
})

/** Uploads and submits every delivery, and waits until the service has taken it in. */
export async function deliverAll(
  job: Pick<Places, 'workDir'>,
  cast: Cast,
  onProgress: OnProgress,
): Promise<DemoReport['rows']> {
  const taken: DemoReport['rows'] = {}
  const submitted: { agency: AgencyName; delivery: string; job: string }[] = []
  for (const [index, agency] of agencyNames.entries()) {
    const client = cast.clients[agency]
    const dir = join(job.workDir, 'deliveries', agency)
    const report = await submit({ client, project: cast.project, dir })
    submitted.push({ agency, delivery: report.delivery, job: report.job ?? '' })
    onProgress(index + 1, 2 * agencyNames.length)
  }
  const { operator } = cast.people.reach
  for (const [index, { agency, delivery, job: intake }] of submitted.entries()) {
    await untilDone(operator, intake)
    const path = `/v1/deliveries/${delivery}`
    const shown = await askJson(operator, { method: 'GET', path }, deliverySchema)
    if (shown.state !== 'taken') throw new Error(`the delivery of ${agency} was refused`)
    const tables: Record<string, number> = {}
    for (const { table, rowsTaken } of shown.parts) {
      const name = table === '' ? 'keys' : table.replace('#', '')
      tables[name] = (tables[name] ?? 0) + (rowsTaken ?? 0)
    }
    taken[agency] = tables
    onProgress(agencyNames.length + index + 1, 2 * agencyNames.length)
  }
  return taken
}
