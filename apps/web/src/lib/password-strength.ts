import { ZxcvbnFactory } from "@zxcvbn-ts/core";
import { adjacencyGraphs, dictionary } from "@zxcvbn-ts/language-common";

const zxcvbn = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });

/**
 * Returns how hard a password is to guess, from 0 to 4. `words` are what a guesser would try first. Import this lazily: the
 * lists of common passwords are large.
 */
export function passwordScore(password: string, words: string[]): number {
  return zxcvbn.check(password, words).score;
}
