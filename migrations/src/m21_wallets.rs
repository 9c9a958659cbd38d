//! What a partner has in its wallet now is found by what is in it, not by every account that was ever in it: a lot that is
//! spent, and a credit that is forfeited, keep their accounts for good.

crate::migration!(
    "m21_wallets",
    "
DROP INDEX account_wallet;
CREATE INDEX account_wallet ON account (partner_id, fund_id, kind) WHERE cycle_id IS NULL AND balance <> 0;
"
);
