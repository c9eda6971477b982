/**
 * A generated population as the service holds it before it links: each agency's own tool has prepared its delivery, and
 * every part has been taken in, all in one process.
 */
import { createSecretKey } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import iconv from 'iconv-lite'
import { partName, placeOf } from '../../src/agency/parts.ts'
import { prepare } from '../../src/agency/prepare.ts'
import { sourceDescriptionSchema } from '../../src/agency/source-description.ts'
import { defaultCatalogue } from '../../src/catalogue/load.ts'
import type { CatalogueTable } from '../../src/catalogue/schema.ts'
import { type AgencyName, agencies, agencyNames } from '../../src/cli/demo/agencies.ts'
import { canaryTableOf } from '../../src/core/canary-making.ts'
import { quarantinedKeys } from '../../src/core/canary-table.ts'
import { macColumn } from '../../src/core/mac.ts'
import { type ManifestPart, noticesTable } from '../../src/core/manifest.ts'
import { koreanRecipe } from '../../src/core/recipe.ts'
import type { LinkDelivery } from '../../src/engine/linkage/agencies.ts'
import { isAboutPersons } from '../../src/engine/quality-sql.ts'
import type { Session } from '../../src/engine/session.ts'
import { takeKeys } from '../../src/engine/take-keys.ts'
import { takeNotices } from '../../src/engine/take-notices.ts'
import { takeTable } from '../../src/engine/take-table.ts'

export const keyTypes = ['K1', 'K2', 'K4'] as const

/** One agency's delivery, taken in. */
export type Taken = LinkDelivery & {
  agency: AgencyName
  /** Parquet (id, serial), which never leaves an agency. */
  serials: string
  /** Typed parts of the tables that say something of persons. */
  typed: { table: CatalogueTable; path: string }[]
}

const agenciesKey = Buffer.alloc(32, 7)
const linkageKey = createSecretKey(Buffer.alloc(32, 8))
const tokensOf = (keys: Uint8Array): Uint8Array => macColumn('cmac-aes-256', linkageKey, keys, 32)

/**
 * Prepares and takes in the first wave of all agencies.
 *
 * @param session - whose scratch directory holds `workDir`.
 */
export async function takePopulation(
  session: Session,
  { populationDir, workDir }: { populationDir: string; workDir: string },
  tell: (line: string) => void,
): Promise<Taken[]> {
  const encode = (text: string): Uint8Array => iconv.encode(text, 'cp949')
  const quarantine = quarantinedKeys(canaryTableOf(agenciesKey, koreanRecipe, encode))
  const taken: Taken[] = []
  for (const agency of agencyNames) {
    tell(`${agency} prepares and delivers`)
    const outDir = join(workDir, agency)
    const { tables, parts } = await prepareAt(agency, join(populationDir, agency), outDir)
    taken.push(await takeDelivery(session, { agency, outDir, tables, parts, quarantine }))
  }
  return taken
}

type Tables = Record<string, CatalogueTable>

async function prepareAt(
  agency: AgencyName,
  sourceDir: string,
  outDir: string,
): Promise<{ tables: Tables; parts: ManifestPart[] }> {
  const wanted = Object.entries(defaultCatalogue().tables).filter(
    ([, table]) => table.agency === agency && isAboutPersons(table),
  )
  const tables = Object.fromEntries(wanted)
  const text = await readFile(join(sourceDir, 'source.json'), 'utf8')
  const described = sourceDescriptionSchema.parse(JSON.parse(text))
  const sources = Object.entries(described.tables).filter(([name]) => name in tables)
  const { manifest } = await prepare({
    description: { ...described, tables: Object.fromEntries(sources) },
    sourceDir,
    outDir,
    agenciesKey,
    recipe: { recipe: koreanRecipe, keyTypes: [...keyTypes], tables },
    wave: 1,
  })
  return { tables, parts: manifest.parts }
}

type Delivery = {
  agency: AgencyName
  outDir: string
  tables: Tables
  parts: readonly ManifestPart[]
  quarantine: readonly string[]
}

async function takeDelivery(session: Session, delivery: Delivery): Promise<Taken> {
  const { agency, outDir, tables, quarantine } = delivery
  const { isSpine, isDuplicateFree } = agencies[agency]
  const [files, noticeFiles, typed]: [string[], string[], Taken['typed']] = [[], [], []]
  await mkdir(join(outDir, 'taken'))
  for (const [at, { table: name, number, mediaType }] of delivery.parts.entries()) {
    const input = join(outDir, ...placeOf(name), partName(number))
    const output = join(outDir, 'taken', `${at}.parquet`)
    const of = { input, mediaType, output }
    const table = tables[name]
    if (name === '') {
      await takeKeys(session, { ...of, keyTypes, tokensOf, quarantine })
      files.push(output)
    } else if (name === noticesTable) {
      await takeNotices(session, { ...of, tokensOf, quarantine })
      noticeFiles.push(output)
    } else if (table) {
      await takeTable(session, { ...of, table })
      typed.push({ table, path: output })
    }
  }
  const serials = join(outDir, 'serials.parquet')
  const of = { deliveryId: agency, agency, wave: 1, isSpine, isDuplicateFree, keyTypes }
  return { ...of, files, noticeFiles, serials, typed }
}
