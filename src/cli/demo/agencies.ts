/** The five agencies of the demonstration, each with its own key, certificate, files and tool. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { registerAgency } from '../../actions/register-agency.ts'
import { askCanaries, askRecipe } from '../../agency/canaries.ts'
import { makeCertificateRequest } from '../../agency/certificate-request.ts'
import { type Client, openClient } from '../../agency/client.ts'
import { prepare } from '../../agency/prepare.ts'
import { sourceDescriptionSchema } from '../../agency/source-description.ts'
import { Refusal } from '../../core/errors.ts'
import { signAgencyRequest } from '../../keys/certificate-authority.ts'
import type { Pool } from '../../store/pool.ts'

/** Names as in the default catalogue; who holds a person only once says so. */
export const agencies = {
  ncc: { en: 'Cancer registry', ko: '국립암센터', isSpine: true, isDuplicateFree: true },
  nhis: { en: 'Health insurer', ko: '국민건강보험공단', isSpine: false, isDuplicateFree: true },
  hira: { en: 'Claims review', ko: '건강보험심사평가원', isSpine: false, isDuplicateFree: false },
  kostat: { en: 'Statistics', ko: '국가데이터처', isSpine: false, isDuplicateFree: true },
  kdca: { en: 'Disease control', ko: '질병관리청', isSpine: false, isDuplicateFree: false },
} as const

export type AgencyName = keyof typeof agencies
export const agencyNames = Object.keys(agencies) as AgencyName[]

/** Where the service is, and what its operator has for signing agencies' requests. */
export type Registrar = { url: string; ca: string; caKey: string; pool: Pool }

/**
 * Makes every agency's key and request, signs and registers it, and opens its client. Key and certificate also go to
 * `<directory>/<agency>.key` and `.pem`, for whoever wants to look around with curl.
 */
export async function enrollAgencies(
  registrar: Registrar,
  directory: string,
): Promise<Record<AgencyName, Client>> {
  const authority = { certificatePem: registrar.ca, privateKeyPem: registrar.caKey }
  const clients = agencyNames.map(async (agency): Promise<[AgencyName, Client]> => {
    const { privateKeyPem, requestPem } = await makeCertificateRequest({ agency })
    const request = { agency, requestPem }
    const certificatePem = signAgencyRequest(authority, request, { now: new Date() })
    const title = { en: agencies[agency].en, ko: agencies[agency].ko }
    await registerAgency(registrar.pool, { name: agency, title, certificatePem }, 'demo')
    await writeFile(join(directory, `${agency}.key`), privateKeyPem, { mode: 0o600 })
    await writeFile(join(directory, `${agency}.pem`), certificatePem)
    const { url, ca } = registrar
    return [agency, openClient({ url, ca, certificate: certificatePem, privateKey: privateKeyPem })]
  })
  return Object.fromEntries(await Promise.all(clients)) as Record<AgencyName, Client>
}

export type Preparation = {
  agency: AgencyName
  client: Client
  project: string
  agenciesKey: Uint8Array
  /** The agency's own files with `source.json`. */
  sourceDir: string
  outDir: string
  onProgress: (done: number, total: number) => void
}

/**
 * What an agency does on its own machine: asks for the recipe, shows by the canaries that it computes keys rightly, and
 * prepares its delivery.
 *
 * @throws {Refusal} `canary-mismatch`, and whatever `prepare` refuses.
 */
export async function prepareAt(preparation: Preparation): Promise<void> {
  const { client, project, agenciesKey, sourceDir, outDir } = preparation
  const recipe = await askRecipe(client, project)
  const { isRight } = await askCanaries(client, project, agenciesKey)
  if (!isRight) throw new Refusal('canary-mismatch', 'The agency does not follow the recipe.')
  const text = await readFile(join(sourceDir, 'source.json'), 'utf8')
  await prepare({
    description: sourceDescriptionSchema.parse(JSON.parse(text)),
    sourceDir,
    outDir,
    agenciesKey,
    recipe,
    wave: 1,
    onProgress: ({ bytes, bytesTotal }) => preparation.onProgress(bytes, bytesTotal),
  })
}
