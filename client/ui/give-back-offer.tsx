// What of a purchase can be given back, beside it, and the button that begins it.
import type { GiveBack, GivenBack } from '../models/give-back.ts';
import { canGiveBack, returnableWords } from '../models/returnable-words.ts';
import './give-back-offer.css';

type OfferProps = {
  giveBack: GiveBack;
  what: GivenBack;
  /** What it is an offer of, for who hears the button and does not see the row. */
  of: string;
};

export function GiveBackOffer({ giveBack, what, of }: OfferProps) {
  return (
    <span class="give-back-offer">
      <span class="faint figure" data-testid="returnable">
        {returnableWords(what.returnable)}
      </span>{' '}
      {canGiveBack(what.returnable) && (
        <button
          type="button"
          class="text-button quiet-link"
          onClick={() => giveBack.begin(what)}
          aria-label={`Give back what is unspent of ${of}`}
          data-testid="give-back"
        >
          Give back
        </button>
      )}
    </span>
  );
}
