# Means, errors and covariances of sample.csv by linearization. R 4.2.2, survey 4.1-1.
# Rscript linearization.R, in this folder: writes linearization.json.

source("common.R")
rows <- read_rows("sample.csv")

designs <- list(
  independent = svydesign(ids = ~respondent, weights = ~weight, data = rows),
  clusters = svydesign(ids = ~cluster, weights = ~weight, data = rows),
  strata_clusters = svydesign(ids = ~cluster, strata = ~stratum, weights = ~weight, data = rows),
  strata_clusters_fpc = svydesign(ids = ~cluster, strata = ~stratum, weights = ~weight,
                                  fpc = ~population_size, data = rows)
)

# svyby has covariances between organizations where no answer is missing: compared there.
names <- paste(rep(ORGANIZATIONS, each = 3), ITEMS, sep = ":")
for (design in designs) {
  design$variables[ITEMS][is.na(design$variables[ITEMS])] <- 4
  by <- svyby(~q1 + q2 + q3, ~organization, design, svymean, covmat = TRUE)
  agree(vcov(by)[names, names], design_estimates(design)$covariance)
}
write_json(list(designs = lapply(designs, design_estimates)), "linearization.json")
