# lonely.csv under every rule of survey for a stratum of one cluster. R 4.2.2, survey 4.1-1.
# Rscript lonely.R, in this folder: writes lonely.json.

source("common.R")
rows <- read_rows("lonely.csv")

# The same covariance from its formula: sums of influences by cluster, stratum by stratum.
by_hand <- function(design, rule) {
  pairs <- pairs_of(rows)
  influence <- rowsum(linearized(pairs, rows$weight) * rows$weight, rows$cluster)
  first <- match(rownames(influence), rows$cluster)
  strata <- split(seq_along(first), rows$stratum[first])
  sampling <- if (is.null(design$fpc$popsize)) 1 + 0 * first
    else 1 - lengths(strata)[rows$stratum[first]] / rows$population_size[first]
  parts <- lapply(strata, function(at) {
    m <- length(at)
    z <- influence[at, , drop = FALSE]
    if (m > 1) return(sampling[at[1]] * m / (m - 1) * crossprod(sweep(z, 2, colMeans(z))))
    # "adjust": from the mean of all clusters, which is 0 for the influences of a mean.
    if (rule == "adjust") sampling[at] * crossprod(sweep(z, 2, colMeans(influence))) else 0 * z[1]
  })
  whole <- sum(lengths(strata) > 1)
  Reduce(`+`, parts) * if (rule == "average") length(strata) / whole else 1
}

estimates <- function(rule) {
  options(survey.lonely.psu = rule)
  designs <- list(
    strata_clusters = svydesign(ids = ~cluster, strata = ~stratum, weights = ~weight, data = rows),
    strata_clusters_fpc = svydesign(ids = ~cluster, strata = ~stratum, weights = ~weight,
                                    fpc = ~population_size, data = rows)
  )
  lapply(designs, function(design) {
    result <- design_estimates(design)
    agree(result$covariance, by_hand(design, rule))
    result
  })
}

rules <- c(remove = "remove", certainty = "certainty", adjust = "adjust", average = "average")
write_json(list(rules = lapply(rules, estimates)), "lonely.json")
