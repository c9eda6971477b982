/**
 * `ro-crate-metadata.json` (RO-Crate 1.1, JSON-LD) with W3C PROV: which agencies gave what in which wave, how that was
 * linked and assembled, and what came of it under which policy, rules and versions. Ids and digests only; nothing of a
 * person and no serial.
 */
import type { Json } from './canonical.ts'
import type { PackageFile, ReleaseFacts } from './release-manifest.ts'

/** Where a release comes from. Times are RFC 3339, UTC. */
export type Provenance = {
  facts: ReleaseFacts
  files: readonly PackageFile[]
  project: { name: string; recipe: string; catalogue: { name: string; version: string } }
  policy: { name: string; version: string }
  deliveries: readonly { id: string; agency: string; wave: number; submittedAt: string | null }[]
  linkage: { rulesVersion: string; endedAt: string | null }
  cohort: { endedAt: string | null }
  /** Version of this program. */
  software: string
}

const prov = 'http://www.w3.org/ns/prov#'

/** The metadata document. */
export function roCrateOf(from: Provenance): Json {
  const { facts, files } = from
  const agencies = [...new Set(from.deliveries.map(({ agency }) => agency))].sort()
  return {
    '@context': ['https://w3id.org/ro/crate/1.1/context', { prov }],
    '@graph': [
      {
        '@id': 'ro-crate-metadata.json',
        '@type': 'CreativeWork',
        conformsTo: { '@id': 'https://w3id.org/ro/crate/1.1' },
        about: { '@id': './' },
      },
      {
        '@id': './',
        '@type': ['Dataset', 'prov:Entity'],
        name: `${from.project.name}: ${facts.purpose}`,
        description: `Release ${facts.release} for ${facts.recipient}, ${facts.place}, until ${facts.validUntil}`,
        identifier: idOf('release', facts.release),
        datePublished: facts.builtAt,
        license: 'For the recipient, purpose, place and period of manifest.json only',
        hasPart: files.map(({ name }) => ({ '@id': name })),
        'prov:wasGeneratedBy': ref('build', facts.release),
        'prov:wasDerivedFrom': ref('cohort', facts.cohort),
      },
      ...files.map(({ name, bytes, sha256 }) => ({
        '@id': name,
        '@type': 'File',
        encodingFormat: formatOf(name),
        contentSize: String(bytes),
        sha256,
      })),
      ...agencies.map((agency) => ({
        '@id': idOf('agency', agency),
        '@type': ['Organization', 'prov:Agent'],
        name: agency,
      })),
      ...from.deliveries.map(deliveryEntity),
      ...activities(from),
      ...rulesOf(from),
    ],
  }
}

function deliveryEntity(delivery: Provenance['deliveries'][number]): Json {
  return {
    '@id': idOf('delivery', delivery.id),
    '@type': ['CreativeWork', 'prov:Entity'], // Not of the package, so no data of the crate.
    name: `Delivery of ${delivery.agency}, wave ${delivery.wave}`,
    'prov:wasAttributedTo': ref('agency', delivery.agency),
    ...(delivery.submittedAt === null ? {} : { dateCreated: delivery.submittedAt }),
  }
}

/** Delivery → linkage → cohort → release. */
function activities({ facts, deliveries, linkage, cohort }: Provenance): Json[] {
  const delivered = deliveries.map(({ id }) => ref('delivery', id))
  const software = { '@id': '#software' }
  return [
    {
      '@id': idOf('linkage', facts.linkage),
      '@type': ['CreateAction', 'prov:Activity'],
      name: 'Linkage of persons by re-keyed hashes',
      object: delivered,
      instrument: [software, ref('rules', 'linkage')],
      result: ref('persons', facts.linkage),
      ...(linkage.endedAt === null ? {} : { endTime: linkage.endedAt }),
    },
    {
      '@id': idOf('persons', facts.linkage),
      '@type': ['CreativeWork', 'prov:Entity'],
      name: 'Linked persons; stays inside',
      sha256: facts.linkageSha256,
      'prov:wasGeneratedBy': ref('linkage', facts.linkage),
    },
    {
      '@id': idOf('cohort', facts.cohort),
      '@type': ['CreativeWork', 'prov:Entity'],
      name: 'Cohort: the tables of the deliveries by person; stays inside',
      'prov:wasDerivedFrom': [...delivered, ref('persons', facts.linkage)],
      ...(cohort.endedAt === null ? {} : { dateCreated: cohort.endedAt }),
    },
    {
      '@id': idOf('build', facts.release),
      '@type': ['CreateAction', 'prov:Activity'],
      name: 'Building of the release under its policy',
      object: ref('cohort', facts.cohort),
      instrument: [software, ref('policy', facts.policySha256)],
      result: { '@id': './' },
      endTime: facts.builtAt,
    },
  ]
}

function rulesOf({ facts, project, policy, linkage, software }: Provenance): Json[] {
  const { catalogue } = project
  return [
    {
      '@id': idOf('policy', facts.policySha256),
      '@type': ['CreativeWork', 'prov:Plan'],
      name: policy.name,
      version: policy.version,
      sha256: facts.policySha256,
    },
    {
      '@id': idOf('rules', 'linkage'),
      '@type': ['CreativeWork', 'prov:Plan'],
      name: 'Rules of the linkage',
      version: linkage.rulesVersion,
      about: `recipe ${project.recipe}; catalogue ${catalogue.name} ${catalogue.version}`,
    },
    {
      '@id': '#software',
      '@type': ['SoftwareApplication', 'prov:SoftwareAgent'],
      name: 'gyeol',
      version: software,
    },
  ]
}

const formats: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  json: 'application/json',
  parquet: 'application/vnd.apache.parquet',
  txt: 'text/plain',
}

function formatOf(name: string): string {
  return formats[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream'
}

function idOf(kind: string, id: string): string {
  return `urn:gyeol:${kind}:${id}`
}

function ref(kind: string, id: string): { '@id': string } {
  return { '@id': idOf(kind, id) }
}
