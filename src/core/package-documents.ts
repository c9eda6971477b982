/**
 * What every package says of itself besides its tables (`shared/RELEASE.md`, "The package"): each document is there, is what
 * its name promises, and is about this release. A package that lacks one is not the package that was reviewed.
 */
import { z } from 'zod'
import type { PackageManifest, PackageProblem } from './package-check.ts'
import { qualityReportSchema } from './quality-report.ts'

type Document = {
  isOptional?: true
  fault: (text: string, of: PackageManifest) => string | undefined
}

const titled = z.looseObject({
  name: z.string(),
  title: z.string().min(1),
  'x-title-ko': z.string().min(1),
})
const described = z.looseObject({
  resources: z
    .array(
      z.looseObject({
        schema: z.looseObject({
          fields: z.array(titled).min(1),
          missingValues: z.array(z.string()).min(1),
        }),
      }),
    )
    .min(1),
})
const reference = z.looseObject({ '@id': z.string() })
const crate = z.looseObject({
  '@graph': z.array(z.looseObject({ '@id': z.string(), hasPart: z.array(reference).optional() })),
})

const documents: Readonly<Record<string, Document>> = {
  'README.txt': { fault: (text) => (text.trim() === '' ? 'It is empty.' : undefined) },
  'datapackage.json': {
    fault: jsonFault(
      described,
      () => true,
      'A column lacks a title or a table its missing values.',
    ),
  },
  'codebook.csv': {
    fault: (text) =>
      /^\ufefftable,table_ko,column,type,title_en,title_ko,unit,codes,rule\r\n/.test(text)
        ? undefined
        : 'It is not the codebook of a release.',
  },
  'linkage-quality.json': {
    fault: jsonFault(
      qualityReportSchema,
      ({ linkage }, manifest) => linkage === manifest['linkage'],
      'It is not the quality report of the linkage that the manifest names.',
    ),
  },
  'disclosure-report.json': {
    fault: reportFault('gyeol-disclosure-1', 'It is not the disclosure report of a release.'),
  },
  'utility-report.json': {
    fault: reportFault('gyeol-utility-1', 'It is not the utility report of a release.'),
  },
  'pseudonym-changes.csv': {
    isOptional: true,
    fault: (text) =>
      text.startsWith('pseudonym_before,') ? undefined : 'It is not a list of changed pseudonyms.',
  },
  'ro-crate-metadata.json': {
    fault: jsonFault(crate, namesAllFiles, 'It does not name the files of the manifest.'),
  },
}

/** Documents that a package must have, in the order of the documentation. */
export const packageDocuments = Object.keys(documents)

/**
 * Holds the documents against what their names promise.
 *
 * @param textOf - the text of a document; undefined if it is not there.
 * @returns what is wrong, and the names of those that are as they should be.
 */
export function checkDocuments(
  manifest: PackageManifest,
  textOf: (name: string) => string | undefined,
): { problems: PackageProblem[]; sound: string[] } {
  const problems: PackageProblem[] = []
  const sound: string[] = []
  for (const [name, { isOptional, fault }] of Object.entries(documents)) {
    const text = textOf(name)
    if (text === undefined && isOptional) continue
    const sentence = text === undefined ? 'It is missing.' : fault(text, manifest)
    if (sentence === undefined) sound.push(name)
    else problems.push({ file: name, sentence })
  }
  return { problems, sound }
}

function reportFault(report: string, sentence: string): Document['fault'] {
  return jsonFault(z.looseObject({ report: z.literal(report) }), () => true, sentence)
}

function jsonFault<T>(
  schema: z.ZodType<T>,
  holds: (document: T, of: PackageManifest) => boolean,
  sentence: string,
): Document['fault'] {
  return (text, manifest) => {
    let document: unknown
    try {
      document = JSON.parse(text)
    } catch {
      return 'It is not JSON.'
    }
    const parsed = schema.safeParse(document)
    return parsed.success && holds(parsed.data, manifest) ? undefined : sentence
  }
}

/** Every file of the manifest but the crate itself, which is not a part of what it describes. */
function namesAllFiles(
  { '@graph': graph }: z.infer<typeof crate>,
  { files }: PackageManifest,
): boolean {
  const parts = graph.find((entity) => entity['@id'] === './')?.hasPart ?? []
  const named = new Set(parts.map((part) => part['@id']))
  return files.every(({ name }) => named.has(name) || name === 'ro-crate-metadata.json')
}
