//! Requests by what they promise: an inbox in the order of forecast ROI goes by an index, as the one by due dates does.
//!
//! What an open request promises is in its document: the worker wakes every one of them once and writes it down.

crate::migration!(
    "m27_forecast_roi",
    "
-- The frozen forecast's ROI in tenths of a percent; -1001, below all there are, where nothing is forecast.
ALTER TABLE cycle ADD COLUMN forecast_roi bigint NOT NULL DEFAULT -1001;
CREATE INDEX cycle_desk_roi ON cycle (desk, forecast_roi, id) WHERE desk IS NOT NULL;
CREATE INDEX cycle_desk_by_region_roi ON cycle (desk, region, forecast_roi, id) WHERE desk IS NOT NULL;
CREATE INDEX cycle_desk_too_roi ON cycle (desk_too, forecast_roi, id) WHERE desk_too IS NOT NULL;
CREATE INDEX cycle_desk_too_by_region_roi ON cycle (desk_too, region, forecast_roi, id) WHERE desk_too IS NOT NULL;
CREATE INDEX cycle_in_approval_roi ON cycle (stage, forecast_roi, id) WHERE stage = 'approval.review';
CREATE INDEX cycle_in_approval_by_region_roi ON cycle (stage, region, forecast_roi, id) WHERE stage = 'approval.review';
UPDATE cycle SET wake_at = opened_at WHERE stage = 'approval.review';
"
);
