import breastJson from '../catalogue/policies/breast-cancer-survival.json' with { type: 'json' }
import countsJson from '../catalogue/policies/cancer-counts.json' with { type: 'json' }
import covidJson from '../catalogue/policies/covid-19-vaccination-cancer.json' with { type: 'json' }
import { type Policy, policySchema } from './policy.ts'

const documents = [breastJson, covidJson, countsJson] as const

/**
 * Policies for the default catalogue to begin from, by name: survival of breast cancer (dates as days since diagnosis, one
 * cancer only), COVID-19 vaccination and outcome in cancer patients (dates shifted, so that waves stay comparable), and
 * tables of counts of cancer patients, which leave without any row.
 */
export function examplePolicies(): Map<string, Policy> {
  const policies = documents.map((document) => policySchema.parse(document))
  return new Map(policies.map((policy) => [policy.name, policy]))
}
